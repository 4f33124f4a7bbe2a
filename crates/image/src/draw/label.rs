use straylight_core::{Color, ScoredLabel};

use super::canvas::{Area, Canvas, contrast};
use super::font;
use super::style::Style;

/// Lines of text in boxes of their labels' colours, one below the other.
pub(super) struct Tag {
    rows: Vec<Row>,
    style: Style,
}

struct Row {
    text: String,
    background: [u8; 3],
}

impl Tag {
    /// The labels of one shape, the probability behind each name, cut to `max_width` pixels.
    pub(super) fn of(
        labels: &[ScoredLabel],
        probability: bool,
        style: Style,
        max_width: i32,
    ) -> Self {
        let space = max_width - 2 * style.pad;
        let row = |label: &ScoredLabel| Row {
            text: text(label, probability, style.text, space),
            background: label.color.rgb,
        };
        Self {
            rows: labels.iter().map(row).collect(),
            style,
        }
    }

    /// A line of plain text on a dark ground.
    pub(super) fn plain(text: &str, style: Style, max_width: i32) -> Self {
        let text = font::fit(text, style.text, max_width - 2 * style.pad);
        let background = [24; 3];
        Self {
            rows: vec![Row { text, background }],
            style,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    fn row_height(&self) -> i32 {
        font::line_height(self.style.text) + self.style.pad
    }

    /// Width and height in pixels, with the seam around it.
    pub(super) fn size(&self) -> (i32, i32) {
        let widths = self.rows.iter().map(|row| self.row_width(row));
        let seams = 2 * self.style.seam;
        let height = self.row_height() * self.rows.len() as i32;
        (widths.max().unwrap_or(0) + seams, height + seams)
    }

    fn row_width(&self, row: &Row) -> i32 {
        font::width(&row.text, self.style.text) + 2 * self.style.pad
    }

    /// Draws the boxes with the upper left corner of the outer seam at a place.
    pub(super) fn draw(&self, canvas: &mut Canvas, left: i32, top: i32) {
        let Style {
            seam, pad, text, ..
        } = self.style;
        let (left, mut top) = (left + seam, top + seam);
        for row in &self.rows {
            let area = Area::new(left, top, self.row_width(row), self.row_height());
            let ink = contrast(row.background);
            canvas.frame(
                area.grown(seam),
                seam,
                Color {
                    rgb: ink,
                    alpha: 190,
                },
            );
            canvas.fill_area(
                area,
                Color {
                    rgb: row.background,
                    alpha: 235,
                },
            );
            font::draw(canvas, &row.text, text, left + pad, top + pad / 2, ink);
            top += self.row_height();
        }
    }
}

/// The name is cut if need be, never the probability.
fn text(label: &ScoredLabel, probability: bool, size: f32, space: i32) -> String {
    if !probability {
        return font::fit(&label.name, size, space);
    }
    let percent = format!(" {:.1}%", f64::from(label.probability) * 100.0);
    let name = font::fit(&label.name, size, space - font::width(&percent, size));
    format!("{name}{percent}")
}

/// Finds free places for tags, in the order in which they are asked for.
#[derive(Default)]
pub(super) struct Places {
    taken: Vec<Area>,
}

impl Places {
    /// Takes the first of some places that touches no other tag, else the least covered one.
    ///
    /// Every place is moved into the canvas first. Ties go to the earlier place, so the
    /// result is always the same.
    pub(super) fn take(
        &mut self,
        size: (i32, i32),
        wishes: &[(i32, i32)],
        canvas: Area,
    ) -> (i32, i32) {
        let inside = |&(left, top): &(i32, i32)| {
            let left = left.min(canvas.right() - size.0).max(0);
            let top = top.min(canvas.bottom() - size.1).max(0);
            Area::new(left, top, size.0, size.1)
        };
        let covered = |area: &Area| -> i64 {
            self.taken
                .iter()
                .map(|other| area.clipped(*other).size())
                .sum()
        };
        let best = wishes.iter().map(inside).min_by_key(covered);
        let area = best.unwrap_or(Area::new(0, 0, size.0, size.1));
        self.taken.push(area);
        (area.left, area.top)
    }
}

/// Where the tag of a shape may stand: above it, below it, inside its corners.
pub(super) fn wishes(shape: Area, (width, height): (i32, i32)) -> [(i32, i32); 6] {
    let (left, right) = (shape.left, shape.right() - width);
    let (above, below) = (shape.top - height, shape.bottom());
    [
        (left, above),
        (left, shape.top),
        (left, below),
        (right, above),
        (right, shape.top),
        (left, below - height),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_place_is_avoided() {
        let canvas = Area::new(0, 0, 100, 100);
        let mut places = Places::default();
        let wishes = [(0, 0), (50, 50)];
        assert_eq!(places.take((20, 10), &wishes, canvas), (0, 0));
        assert_eq!(places.take((20, 10), &wishes, canvas), (50, 50));
        assert_eq!(places.take((20, 10), &wishes, canvas), (0, 0));
    }

    #[test]
    fn places_outside_are_moved_inside() {
        let mut places = Places::default();
        let canvas = Area::new(0, 0, 100, 100);
        assert_eq!(places.take((20, 10), &[(-7, 96)], canvas), (0, 90));
        assert_eq!(places.take((200, 10), &[(3, 3)], canvas), (0, 3));
    }

    #[test]
    fn the_probability_is_never_cut() {
        let label = ScoredLabel {
            id: String::new(),
            name: "a name that is much too long for the image".into(),
            color: Color::BLACK,
            probability: 0.125,
        };
        let text = text(&label, true, 12.0, 90);
        assert!(text.ends_with("… 12.5%"), "{text}");
    }
}
