use openvino_sys as ov;

use super::check;
use crate::EngineError;

/// The element types that Straylight reads and writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ElementType {
    /// 8-bit unsigned.
    U8,
    /// 32-bit signed.
    I32,
    /// 64-bit signed.
    I64,
    /// 32-bit floating point.
    F32,
    /// One byte a value, zero or one.
    Boolean,
    /// Anything else, by OpenVINO's number for it.
    Other(u32),
}

impl ElementType {
    pub(super) fn from_raw(raw: ov::ov_element_type_e) -> Self {
        match raw {
            ov::ov_element_type_e::U8 => Self::U8,
            ov::ov_element_type_e::I32 => Self::I32,
            ov::ov_element_type_e::I64 => Self::I64,
            ov::ov_element_type_e::F32 => Self::F32,
            ov::ov_element_type_e::OV_BOOLEAN => Self::Boolean,
            other => Self::Other(other as u32),
        }
    }

    /// Whether values of this type are floating point, of any width.
    pub fn is_float(self) -> bool {
        self == Self::F32 || self.is_one_of(&OTHER_FLOATS)
    }

    /// Whether the levels of 8-bit images, 0 to 255, are all values of this type.
    pub fn holds_levels(self) -> bool {
        self != Self::Boolean && !self.is_one_of(&NARROW)
    }

    /// Whether outputs of this type are given as f32, which holds each of their values well
    /// enough: other floating point types, and integers of up to 16 bits but u8.
    pub(crate) fn is_given_as_f32(self) -> bool {
        self.is_one_of(&OTHER_FLOATS) || self.is_one_of(&SMALL_INTEGERS)
    }

    fn is_one_of(self, types: &[ov::ov_element_type_e]) -> bool {
        types.iter().any(|raw| self == Self::Other(*raw as u32))
    }
}

const OTHER_FLOATS: [ov::ov_element_type_e; 3] = [
    ov::ov_element_type_e::F16,
    ov::ov_element_type_e::BF16,
    ov::ov_element_type_e::F64,
];
const NARROW: [ov::ov_element_type_e; 5] = [
    ov::ov_element_type_e::I8,
    ov::ov_element_type_e::I4,
    ov::ov_element_type_e::U4,
    ov::ov_element_type_e::U2,
    ov::ov_element_type_e::U1,
];
const SMALL_INTEGERS: [ov::ov_element_type_e; 3] = [
    ov::ov_element_type_e::I8,
    ov::ov_element_type_e::I16,
    ov::ov_element_type_e::U16,
];

mod sealed {
    pub trait Sealed {}
}

/// A Rust type whose values lie in a tensor; sealed, because memory is reinterpreted by it.
pub trait Element: sealed::Sealed + Copy + 'static {
    /// The matching element type.
    const TYPE: ElementType;
}

macro_rules! element {
    ($type:ty, $variant:ident) => {
        impl sealed::Sealed for $type {}
        impl Element for $type {
            const TYPE: ElementType = ElementType::$variant;
        }
    };
}

element!(u8, U8);
element!(i32, I32);
element!(i64, I64);
element!(f32, F32);

/// A tensor that belongs to a request.
#[derive(Debug)]
pub(crate) struct Tensor(*mut ov::ov_tensor_t);

// SAFETY: the handle owns a shared reference to memory that only its request writes; the
// request is borrowed or owned wherever the handle lives.
unsafe impl Send for Tensor {}
// SAFETY: all methods through `&self` only read.
unsafe impl Sync for Tensor {}

impl Tensor {
    pub(super) fn from_raw(raw: *mut ov::ov_tensor_t) -> Self {
        Self(raw)
    }

    pub(crate) fn shape(&self) -> Result<Vec<usize>, EngineError> {
        let mut shape = ov::ov_shape_t {
            rank: 0,
            dims: std::ptr::null_mut(),
        };
        // SAFETY: the handle is alive, and `shape` is a valid place for the answer.
        let status = unsafe { ov::ov_tensor_get_shape(self.0, &raw mut shape) };
        check(status, || "tell a tensor's shape".to_owned())?;
        // SAFETY: OpenVINO filled `rank` dimensions (none for a scalar).
        let dimensions =
            (0..shape.rank.max(0) as usize).map(|axis| unsafe { *shape.dims.add(axis) } as usize);
        let dimensions = dimensions.collect();
        // SAFETY: filled above, freed once.
        unsafe { ov::ov_shape_free(&raw mut shape) };
        Ok(dimensions)
    }

    pub(crate) fn set_shape(&mut self, dimensions: &[usize]) -> Result<(), EngineError> {
        let dims: Vec<i64> = dimensions.iter().map(|&size| size as i64).collect();
        let mut shape = ov::ov_shape_t {
            rank: 0,
            dims: std::ptr::null_mut(),
        };
        // SAFETY: `dims` lives through the call and has as many values as the rank says.
        let status =
            unsafe { ov::ov_shape_create(dims.len() as i64, dims.as_ptr(), &raw mut shape) };
        check(status, || "make a shape".to_owned())?;
        // SAFETY: handle and shape are alive.
        let status = unsafe { ov::ov_tensor_set_shape(self.0, shape) };
        let outcome = check(status, || format!("give a tensor the shape {dimensions:?}"));
        // SAFETY: made above, freed once.
        unsafe { ov::ov_shape_free(&raw mut shape) };
        outcome
    }

    pub(crate) fn element(&self) -> Result<ElementType, EngineError> {
        let mut element = ov::ov_element_type_e::DYNAMIC;
        // SAFETY: the handle is alive, and `element` is a valid place for the answer.
        let status = unsafe { ov::ov_tensor_get_element_type(self.0, &raw mut element) };
        check(status, || "tell a tensor's element type".to_owned())?;
        Ok(ElementType::from_raw(element))
    }

    /// The values; an error when they are of another type.
    pub(crate) fn values<T: Element>(&self) -> Result<&[T], EngineError> {
        let (pointer, length) = self.memory::<T>(T::TYPE)?;
        // SAFETY: `memory` checked type, length and alignment; the memory lives as long as the
        // handle, and nothing writes it while the request that owns it is borrowed.
        Ok(unsafe { std::slice::from_raw_parts(pointer, length) })
    }

    /// The values as bytes of 0 and 1, when they are booleans.
    pub(crate) fn booleans(&self) -> Result<&[u8], EngineError> {
        let (pointer, length) = self.memory::<u8>(ElementType::Boolean)?;
        // SAFETY: as in `values`; OpenVINO keeps a boolean in one byte.
        Ok(unsafe { std::slice::from_raw_parts(pointer, length) })
    }

    /// The values, to be written.
    pub(crate) fn values_mut<T: Element>(&mut self) -> Result<&mut [T], EngineError> {
        let (pointer, length) = self.memory::<T>(T::TYPE)?;
        // SAFETY: as in `values`, and `&mut self` keeps other views away.
        Ok(unsafe { std::slice::from_raw_parts_mut(pointer, length) })
    }

    fn memory<T: Element>(&self, expected: ElementType) -> Result<(*mut T, usize), EngineError> {
        let element = self.element()?;
        if element != expected {
            let reason = format!("holds {element:?}, not {expected:?}");
            return Err(EngineError::tensor("", reason));
        }
        let mut length = 0;
        // SAFETY: the handle is alive, and `length` is a valid place for the answer.
        let status = unsafe { ov::ov_tensor_get_size(self.0, &raw mut length) };
        check(status, || "tell a tensor's size".to_owned())?;
        if length == 0 {
            return Ok((std::ptr::NonNull::dangling().as_ptr(), 0));
        }
        let mut data = std::ptr::null_mut();
        // SAFETY: the handle is alive, and `data` is a valid place for the answer.
        let status = unsafe { ov::ov_tensor_data(self.0, &raw mut data) };
        check(status, || "give a tensor's memory".to_owned())?;
        let pointer = data.cast::<T>();
        if pointer.is_null() || !pointer.is_aligned() {
            return Err(EngineError::tensor(
                "",
                "its memory is missing or not aligned",
            ));
        }
        Ok((pointer, length))
    }
}

impl Drop for Tensor {
    fn drop(&mut self) {
        // SAFETY: owned by this value, freed once.
        unsafe { ov::ov_tensor_free(self.0) };
    }
}
