//! Masks of `FiftyOne`'s detections: a packed numpy array, or a picture, that covers the box.

use std::io::Read;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::Mask;
use crate::gather::Gather;

/// What stands before the numbers of an array.
const MAGIC: &[u8] = b"\x93NUMPY";

/// The longest header of an array, in bytes.
const HEADER: usize = 1024;

/// The inside of a box, row by row.
struct Inside {
    width: usize,
    height: usize,
    pixels: Vec<bool>,
}

/// The mask of a detection in its box, which is given in pixels; none if it has no mask.
pub(super) fn read(
    gather: &Gather<'_>,
    value: &Value,
    near: &Path,
    bounds: [f64; 4],
    size: (u32, u32),
) -> Result<Option<Mask>, String> {
    let packed = value
        .pointer("/mask/$binary/base64")
        .or_else(|| value.pointer("/mask/$binary"));
    let inside = if let Some(text) = packed.and_then(Value::as_str) {
        array(text, size)?
    } else if let Some(path) = value.get("mask_path").and_then(Value::as_str) {
        picture(gather, path, near)?
    } else if value.get("mask").is_some_and(|mask| !mask.is_null()) {
        return Err("its mask is not packed as FiftyOne packs it".to_owned());
    } else {
        return Ok(None);
    };
    let mask = placed(&inside, bounds, size);
    if mask.area() == 0 {
        return Err("its mask has no pixels within the image".to_owned());
    }
    Ok(Some(mask))
}

/// A numpy array in zlib in base64.
fn array(text: &str, (width, height): (u32, u32)) -> Result<Inside, String> {
    let bad = |what: &dyn std::fmt::Display| format!("its mask cannot be unpacked: {what}");
    let packed = STANDARD.decode(text).map_err(|error| bad(&error))?;
    // Values are of eight bytes at most, and a mask is no larger than twice its image.
    let limit = 16 * (u64::from(width) + 2) * (u64::from(height) + 2) + HEADER as u64;
    let mut bytes = Vec::new();
    let mut unpacked = flate2::read::ZlibDecoder::new(&packed[..]).take(limit);
    unpacked
        .read_to_end(&mut bytes)
        .map_err(|error| bad(&error))?;
    numpy(&bytes).ok_or_else(|| bad(&"it is no array of rows of numbers"))
}

/// The array of numbers of one byte or more, in the order of rows.
fn numpy(bytes: &[u8]) -> Option<Inside> {
    let rest = bytes.strip_prefix(MAGIC)?;
    let (length, start): (usize, usize) = match rest {
        [1, _, low, high, ..] => (u16::from_le_bytes([*low, *high]) as usize, 4),
        [2 | 3, _, a, b, c, d, ..] => (u32::from_le_bytes([*a, *b, *c, *d]) as usize, 6),
        _ => return None,
    };
    let header = rest.get(start..start.checked_add(length)?)?;
    let header = std::str::from_utf8(header).ok()?;
    let after = |key: &str| Some(header.split_once(key)?.1.trim_start_matches([' ', ':']));
    let each: usize = after("'descr'")?
        .trim_start_matches(['\'', '|', '<', '>', '=', 'b', 'u', 'i', 'f'])
        .split('\'')
        .next()?
        .parse()
        .ok()?;
    let shape = after("'shape'")?.strip_prefix('(')?.split(')').next()?;
    let shape: Vec<usize> = shape
        .split(',')
        .filter(|side| !side.trim().is_empty())
        .map(|side| side.trim().parse().ok())
        .collect::<Option<_>>()?;
    let &[height, width] = shape.as_slice() else {
        return None;
    };
    let values = rest.get(start + length..)?;
    let fits = each > 0 && values.len() == width.checked_mul(height)?.checked_mul(each)?;
    if !fits || width == 0 || after("'fortran_order'")?.starts_with("True") {
        return None;
    }
    let pixels = values
        .chunks_exact(each)
        .map(|value| value.iter().any(|byte| *byte != 0));
    Some(Inside {
        width,
        height,
        pixels: pixels.collect(),
    })
}

fn picture(gather: &Gather<'_>, path: &str, near: &Path) -> Result<Inside, String> {
    let path = path.replace('\\', "/");
    let parts: Vec<&str> = path
        .split('/')
        .filter(|part| !matches!(*part, "" | "." | ".."))
        .collect();
    let ends = (0..parts.len()).map(|from| parts[from..].join("/"));
    let places = ends.flat_map(|end| [near.join(&end), gather.root.join(&end)]);
    let file = places.into_iter().find(|file| file.is_file());
    let file = file.ok_or_else(|| format!("its mask `{path}` is missing"))?;
    let bytes = straylight_files::read(&file).map_err(|error| error.to_string())?;
    let (image, _) = straylight_image::decode(&bytes).map_err(|error| error.to_string())?;
    let pixels = image
        .data()
        .chunks_exact(3)
        .map(|rgb| rgb.iter().any(|level| *level > 0));
    Ok(Inside {
        width: image.width() as usize,
        height: image.height() as usize,
        pixels: pixels.collect(),
    })
}

/// The inside at its place on the image, scaled to the box if it is of another size.
fn placed(inside: &Inside, [x, y, w, h]: [f64; 4], (width, height): (u32, u32)) -> Mask {
    let (left, top) = (x.round(), y.round());
    let side = |pixels: usize, side: f64| {
        let own = pixels as f64;
        if (own - side).abs() < 2.0 {
            own
        } else {
            side.round().max(1.0)
        }
    };
    let (wide, high) = (side(inside.width, w), side(inside.height, h));
    Mask::from_pixels(width, height, |px, py| {
        let (dx, dy) = (f64::from(px) - left, f64::from(py) - top);
        if dx < 0.0 || dy < 0.0 || dx >= wide || dy >= high {
            return false;
        }
        let column = (dx / wide * inside.width as f64) as usize;
        let row = (dy / high * inside.height as f64) as usize;
        inside
            .pixels
            .get(row * inside.width + column)
            .copied()
            .unwrap_or(false)
    })
}
