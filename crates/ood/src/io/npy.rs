//! NumPy's `.npy`: a magic number, a Python dictionary with type, order and shape, the numbers.
//!
//! Read: little-endian floats of 2 (as 4), 4 and 8 bytes, signed and unsigned integers, booleans,
//! in C or Fortran order, versions 1 to 3 of the format. Written: version 1, `<f4`, `<f8`, `<i8`.

use std::io::Read;

use super::{Array, Values};

const MAGIC: &[u8] = b"\x93NUMPY";
/// The header is padded so that the numbers begin at a multiple of this.
const ALIGNMENT: usize = 64;

/// Numbers are read in pieces of this many bytes.
const PIECE: usize = 1 << 16;

/// Reads a `.npy` file of at most `size` bytes; the numbers go straight to where they stay.
pub(super) fn read(from: &mut impl Read, size: u64) -> Result<Array, String> {
    let header = header(from).ok_or("it is not a .npy file, or it is cut off")?;
    let kind = quoted(&header, "'descr'").ok_or("its header names no element type")?;
    let fortran = after(&header, "'fortran_order'").is_some_and(|rest| rest.starts_with("True"));
    let shape = shape(&header).ok_or("its header has no shape")?;
    let count = shape
        .iter()
        .try_fold(1_usize, |product, &side| product.checked_mul(side));
    let count = count.ok_or("its shape is impossibly large")?;
    let values = values(kind, from, count, size)?;
    Ok(if fortran {
        Array {
            values: values.in_c_order(&shape),
            shape,
        }
    } else {
        Array { shape, values }
    })
}

/// Reads what comes before the numbers.
fn header(from: &mut impl Read) -> Option<String> {
    let mut start = [0; 8];
    from.read_exact(&mut start).ok()?;
    let version = start.strip_prefix(MAGIC)?.first()?;
    let length = if *version == 1 {
        let mut length = [0; 2];
        from.read_exact(&mut length).ok()?;
        u64::from(u16::from_le_bytes(length))
    } else {
        let mut length = [0; 4];
        from.read_exact(&mut length).ok()?;
        u64::from(u32::from_le_bytes(length))
    };
    let mut header = Vec::new();
    from.take(length).read_to_end(&mut header).ok()?;
    let whole = header.len() as u64 == length;
    whole.then(|| String::from_utf8(header).ok()).flatten()
}

/// What follows a key and its colon.
fn after<'a>(header: &'a str, key: &str) -> Option<&'a str> {
    let (_, rest) = header.split_once(key)?;
    Some(rest.trim_start().strip_prefix(':')?.trim_start())
}

fn quoted<'a>(header: &'a str, key: &str) -> Option<&'a str> {
    after(header, key)?
        .strip_prefix('\'')?
        .split_once('\'')
        .map(|(value, _)| value)
}

fn shape(header: &str) -> Option<Vec<usize>> {
    let (inside, _) = after(header, "'shape'")?
        .strip_prefix('(')?
        .split_once(')')?;
    let sides = inside
        .split(',')
        .map(str::trim)
        .filter(|side| !side.is_empty());
    sides.map(|side| side.parse().ok()).collect()
}

fn values(kind: &str, from: &mut impl Read, count: usize, size: u64) -> Result<Values, String> {
    macro_rules! read {
        ($variant:ident, $from:ty, $to:ty) => {
            numbers(from, count, size, |bytes| {
                <$to>::from(<$from>::from_le_bytes(bytes))
            })
            .map(Values::$variant)
        };
    }
    let read = match kind {
        "<f4" => read!(F32, f32, f32),
        "<f8" => read!(F64, f64, f64),
        "<i8" => read!(I64, i64, i64),
        "<i4" => read!(I64, i32, i64),
        "<i2" => read!(I64, i16, i64),
        "|i1" => read!(I64, i8, i64),
        "<u4" => read!(I64, u32, i64),
        "<u2" => read!(I64, u16, i64),
        "|u1" | "|b1" => read!(I64, u8, i64),
        "<f2" => {
            numbers(from, count, size, |bytes| half(u16::from_le_bytes(bytes))).map(Values::F32)
        }
        other => {
            return Err(format!(
                "numbers of type {other} are not read: save them as float32, float64 or int64"
            ));
        }
    };
    read.ok_or_else(|| format!("it should hold {count} numbers of type {kind}, but is cut off"))
}

/// Reads `count` numbers of `N` bytes; `None` when there are fewer (`size` bounds what there is).
fn numbers<const N: usize, T>(
    from: &mut impl Read,
    count: usize,
    size: u64,
    number: impl Fn([u8; N]) -> T,
) -> Option<Vec<T>> {
    let wanted = count.checked_mul(N)?;
    if wanted as u64 > size {
        return None;
    }
    let mut numbers = Vec::new();
    numbers.try_reserve_exact(count).ok()?;
    let mut piece = vec![0; wanted.min(PIECE)];
    let mut left = wanted;
    while left > 0 {
        let part = piece.get_mut(..left.min(PIECE))?;
        from.read_exact(part).ok()?;
        numbers.extend(part.as_chunks::<N>().0.iter().map(|bytes| number(*bytes)));
        left -= part.len();
    }
    Some(numbers)
}

/// Widens a half-precision number.
pub(super) fn half(bits: u16) -> f32 {
    let sign = if bits & 0x8000 == 0 { 1.0 } else { -1.0 };
    let (exponent, fraction) = (i32::from(bits >> 10 & 0x1f), f32::from(bits & 0x3ff));
    let magnitude = match exponent {
        0 => fraction * 2.0_f32.powi(-24),
        0x1f if fraction > 0.0 => f32::NAN,
        0x1f => f32::INFINITY,
        _ => (1.0 + fraction / 1024.0) * 2.0_f32.powi(exponent - 15),
    };
    sign * magnitude
}

/// Writes a whole `.npy` file.
pub(super) fn format(array: &Array) -> Vec<u8> {
    let (kind, data): (&str, Vec<u8>) = match &array.values {
        Values::F32(values) => ("<f4", values.iter().flat_map(|v| v.to_le_bytes()).collect()),
        Values::F64(values) => ("<f8", values.iter().flat_map(|v| v.to_le_bytes()).collect()),
        Values::I64(values) => ("<i8", values.iter().flat_map(|v| v.to_le_bytes()).collect()),
    };
    let sides: Vec<String> = array.shape.iter().map(ToString::to_string).collect();
    let sides = sides.join(", ") + if sides.len() == 1 { "," } else { "" };
    let mut header = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': ({sides}), }}");
    let fixed = MAGIC.len() + 4;
    let padding = (ALIGNMENT - (fixed + header.len() + 1) % ALIGNMENT) % ALIGNMENT;
    header.extend(std::iter::repeat_n(' ', padding));
    header.push('\n');
    let mut bytes = MAGIC.to_vec();
    bytes.extend([1, 0]);
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.into_bytes());
    bytes.extend(data);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(mut bytes: &[u8]) -> Result<Array, String> {
        let size = bytes.len() as u64;
        read(&mut bytes, size)
    }

    #[test]
    fn what_is_written_is_read() {
        for values in [
            Values::F32(vec![1.0, -2.5, 3.0, 0.0, 5.0, 6.0]),
            Values::F64(vec![1.0, -2.5, 3.0, 0.0, 5.0, 6.0]),
            Values::I64(vec![1, -2, 3, 0, 5, 6]),
        ] {
            let array = Array {
                shape: vec![2, 3],
                values,
            };
            let bytes = format(&array);
            assert_eq!(bytes.len() % 8, 0);
            assert_eq!(parse(&bytes).unwrap(), array);
            assert!(
                parse(&bytes[..bytes.len() - 1])
                    .unwrap_err()
                    .contains("cut off")
            );
        }
    }

    #[test]
    fn fortran_order_is_turned() {
        let array = Array {
            shape: vec![2, 3],
            values: Values::I64(vec![1, 4, 2, 5, 3, 6]),
        };
        let text = String::from_utf8_lossy(&format(&array)[10..]).into_owned();
        assert!(text.contains("'fortran_order': False"));
        let mut bytes = format(&array);
        let place = bytes.windows(5).position(|word| word == b"False").unwrap();
        bytes[place..place + 5].copy_from_slice(b"True ");
        let Values::I64(values) = parse(&bytes).unwrap().values else {
            panic!()
        };
        assert_eq!(values, [1, 2, 3, 4, 5, 6]);
    }

    #[test]
    fn half_precision_is_widened() {
        assert_eq!(half(0x3c00).to_bits(), 1.0_f32.to_bits());
        assert_eq!(half(0xc100).to_bits(), (-2.5_f32).to_bits());
        assert_eq!(half(0x0001).to_bits(), 2.0_f32.powi(-24).to_bits());
        assert!(half(0x7c00).is_infinite() && half(0x7e00).is_nan());
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_fail(tail in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut bytes = MAGIC.to_vec();
            bytes.extend(tail);
            let _ = parse(&bytes);
        }
    }
}
