//! Follows the edges between inside and outside; the inside lies to the right of each.

/// A closed border, without corners on straight lines.
pub(super) struct Ring {
    pub(super) corners: Vec<(u32, u32)>,
    pub(super) is_hole: bool,
}

/// Steps to the right, down, left and up.
const STEPS: [(i64, i64); 4] = [(1, 0), (0, 1), (-1, 0), (0, -1)];

/// The borders of the parts and holes of a picture, row by row.
pub(super) fn trace(inside: &[bool], width: usize, height: usize) -> Vec<Ring> {
    let mut leaving = leaving(inside, width, height);
    let mut rings = Vec::new();
    for start in 0..leaving.len() {
        while leaving[start] != 0 {
            rings.push(follow(&mut leaving, width + 1, start));
        }
    }
    rings
}

/// For each corner a bit for each direction in which an edge leaves it.
fn leaving(inside: &[bool], width: usize, height: usize) -> Vec<u8> {
    let row = width + 1;
    let mut leaving = vec![0_u8; row * (height + 1)];
    let is_inside = |x: usize, y: usize| x < width && y < height && inside[y * width + x];
    for y in 0..height {
        for x in (0..width).filter(|x| inside[y * width + x]) {
            let corner = y * row + x;
            let edges = [
                (!is_inside(x, y.wrapping_sub(1)), corner, 0),
                (!is_inside(x + 1, y), corner + 1, 1),
                (!is_inside(x, y + 1), corner + row + 1, 2),
                (!is_inside(x.wrapping_sub(1), y), corner + row, 3),
            ];
            for (_, from, direction) in edges.into_iter().filter(|edge| edge.0) {
                leaving[from] |= 1 << direction;
            }
        }
    }
    leaving
}

/// Takes one closed border out of the edges.
fn follow(leaving: &mut [u8], row: usize, start: usize) -> Ring {
    let mut corners = Vec::new();
    let mut twice_area = 0_i64;
    // At the start the last direction is unknown; with an edge to the right it was upwards.
    let mut direction = leaving[start].trailing_zeros() as usize;
    let first = direction;
    let mut at = start;
    loop {
        leaving[at] &= !(1 << direction);
        let (dx, dy) = STEPS[direction];
        let (x, y) = ((at % row) as i64, (at / row) as i64);
        twice_area += x * (y + dy) - (x + dx) * y;
        at = (at as i64 + dx + dy * row as i64) as usize;
        if at == start && leaving[at] & (1 << ((direction + 1) % 4)) == 0 {
            break;
        }
        // Where two parts touch at a corner, the turn to the right keeps them apart.
        let turns = [(direction + 1) % 4, direction, (direction + 3) % 4];
        let Some(next) = turns
            .into_iter()
            .find(|turn| leaving[at] & (1 << turn) != 0)
        else {
            break;
        };
        if next != direction {
            corners.push(((at % row) as u32, (at / row) as u32));
        }
        direction = next;
    }
    if first != direction {
        corners.push(((start % row) as u32, (start / row) as u32));
        corners.rotate_right(1);
    }
    Ring {
        corners,
        is_hole: twice_area < 0,
    }
}
