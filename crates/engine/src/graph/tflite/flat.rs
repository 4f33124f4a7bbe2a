//! Reading flatbuffers without generated code: every offset is checked, nothing is trusted.

use std::cell::Cell;

/// The bytes are not the flatbuffer that they should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Damaged;

/// The bytes of a flatbuffer, and how much of it may still be copied.
///
/// Tables may share their parts, so that a small file could stand for an endless list.
pub(super) struct Flat<'a> {
    bytes: &'a [u8],
    left: Cell<usize>,
}

impl<'a> Flat<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        let left = Cell::new(bytes.len().saturating_mul(2).saturating_add(1 << 16));
        Self { bytes, left }
    }

    pub(super) fn root(&'a self) -> Result<Table<'a>, Damaged> {
        let place = self.u32(0)? as usize;
        Table::new(self, place)
    }

    /// Whether the file identifier is this one.
    pub(super) fn is(&self, identifier: [u8; 4]) -> bool {
        self.bytes.get(4..8) == Some(&identifier)
    }

    fn charge(&self, bytes: usize) -> Result<(), Damaged> {
        let left = self.left.get().checked_sub(bytes).ok_or(Damaged)?;
        self.left.set(left);
        Ok(())
    }

    fn array<const N: usize>(&self, place: usize) -> Result<[u8; N], Damaged> {
        let bytes = self.bytes.get(place..).and_then(<[u8]>::first_chunk);
        bytes.copied().ok_or(Damaged)
    }

    fn u32(&self, place: usize) -> Result<u32, Damaged> {
        Ok(u32::from_le_bytes(self.array(place)?))
    }

    /// The place that the offset at `place` points to.
    fn follow(&self, place: usize) -> Result<usize, Damaged> {
        let offset = self.u32(place)? as usize;
        place.checked_add(offset).ok_or(Damaged)
    }
}

/// A table of a flatbuffer; fields count from 0 in the order of the schema.
#[derive(Clone, Copy)]
pub(super) struct Table<'a> {
    flat: &'a Flat<'a>,
    place: usize,
    /// Place and size of the list of its fields.
    fields: (usize, usize),
}

impl<'a> Table<'a> {
    fn new(flat: &'a Flat<'a>, place: usize) -> Result<Self, Damaged> {
        let back = i64::from(i32::from_le_bytes(flat.array(place)?));
        let list = usize::try_from(place as i64 - back).map_err(|_| Damaged)?;
        let size = usize::from(u16::from_le_bytes(flat.array(list)?));
        flat.charge(16)?;
        Ok(Self {
            flat,
            place,
            fields: (list, size),
        })
    }

    /// Where a field's value is; `None` when the table leaves it out.
    fn field(&self, field: usize) -> Result<Option<usize>, Damaged> {
        let (list, size) = self.fields;
        let entry = 4 + 2 * field;
        if entry + 2 > size {
            return Ok(None);
        }
        let offset = u16::from_le_bytes(self.flat.array(list + entry)?);
        Ok((offset != 0).then_some(self.place + usize::from(offset)))
    }

    fn value<const N: usize>(&self, field: usize) -> Result<Option<[u8; N]>, Damaged> {
        let place = self.field(field)?;
        place.map(|place| self.flat.array(place)).transpose()
    }

    pub(super) fn i8(&self, field: usize) -> Result<i8, Damaged> {
        Ok(self.value(field)?.map_or(0, i8::from_le_bytes))
    }

    pub(super) fn i32(&self, field: usize) -> Result<i32, Damaged> {
        Ok(self.value(field)?.map_or(0, i32::from_le_bytes))
    }

    pub(super) fn u32(&self, field: usize) -> Result<u32, Damaged> {
        Ok(self.value(field)?.map_or(0, u32::from_le_bytes))
    }

    pub(super) fn u64(&self, field: usize) -> Result<u64, Damaged> {
        Ok(self.value(field)?.map_or(0, u64::from_le_bytes))
    }

    pub(super) fn f32(&self, field: usize) -> Result<Option<f32>, Damaged> {
        Ok(self.value(field)?.map(f32::from_le_bytes))
    }

    /// A vector's bytes, `width` for each of its elements; empty when it is left out.
    fn vector(&self, field: usize, width: usize) -> Result<(usize, &'a [u8]), Damaged> {
        let Some(place) = self.field(field)? else {
            return Ok((0, &[]));
        };
        let start = self.flat.follow(place)?;
        let length = self.flat.u32(start)? as usize;
        let size = length.checked_mul(width).ok_or(Damaged)?;
        let first = start.checked_add(4).ok_or(Damaged)?;
        let end = first.checked_add(size).ok_or(Damaged)?;
        let bytes = self.flat.bytes.get(first..end).ok_or(Damaged)?;
        self.flat.charge(size)?;
        Ok((first, bytes))
    }

    /// Whether a vector has elements; they are not read.
    pub(super) fn has(&self, field: usize) -> Result<bool, Damaged> {
        let Some(place) = self.field(field)? else {
            return Ok(false);
        };
        Ok(self.flat.u32(self.flat.follow(place)?)? > 0)
    }

    pub(super) fn bytes(&self, field: usize) -> Result<&'a [u8], Damaged> {
        Ok(self.vector(field, 1)?.1)
    }

    pub(super) fn text(&self, field: usize) -> Result<&'a str, Damaged> {
        str::from_utf8(self.bytes(field)?).map_err(|_| Damaged)
    }

    pub(super) fn i32s(&self, field: usize) -> Result<Vec<i32>, Damaged> {
        let (_, bytes) = self.vector(field, 4)?;
        let (words, _) = bytes.as_chunks();
        Ok(words.iter().map(|word| i32::from_le_bytes(*word)).collect())
    }

    pub(super) fn f32s(&self, field: usize) -> Result<Vec<f32>, Damaged> {
        let (_, bytes) = self.vector(field, 4)?;
        let (words, _) = bytes.as_chunks();
        Ok(words.iter().map(|word| f32::from_le_bytes(*word)).collect())
    }

    pub(super) fn i64s(&self, field: usize) -> Result<Vec<i64>, Damaged> {
        let (_, bytes) = self.vector(field, 8)?;
        let (words, _) = bytes.as_chunks();
        Ok(words.iter().map(|word| i64::from_le_bytes(*word)).collect())
    }

    pub(super) fn table(&self, field: usize) -> Result<Option<Self>, Damaged> {
        let place = self.field(field)?;
        let table = |place| Self::new(self.flat, self.flat.follow(place)?);
        place.map(table).transpose()
    }

    pub(super) fn tables(&self, field: usize) -> Result<Vec<Self>, Damaged> {
        let (first, bytes) = self.vector(field, 4)?;
        let places = (first..first + bytes.len()).step_by(4);
        places
            .map(|place| Self::new(self.flat, self.flat.follow(place)?))
            .collect()
    }
}
