//! From the pixels of the network's input back to the pixels of the image.

/// Width and height in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Size {
    /// Extent to the right.
    pub width: u32,
    /// Extent downwards.
    pub height: u32,
}

impl Size {
    /// A size in pixels.
    pub const fn new(width: u32, height: u32) -> Self {
        Self { width, height }
    }
}

/// How the image was fitted to the network's input (`resize_type` of the model's configuration).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum ResizeType {
    /// Width and height are scaled apart.
    #[default]
    Standard,
    /// Scaled with its proportions kept, padded right and below.
    FitToWindow,
    /// Scaled with its proportions kept, padded on all sides.
    FitToWindowLetterbox,
    /// The same; places are scaled back by the sides as they were rounded, as Ultralytics does,
    /// not by their common factor.
    Letterbox,
    /// The largest centred square, scaled.
    Crop,
}

/// What happened to an image before it entered the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Geometry {
    /// The image (a tile or a crop is an image of its own).
    pub image: Size,
    /// The network's input, behind its resizing.
    pub network: Size,
    /// How the one was fitted to the other.
    pub resize: ResizeType,
}

/// Coordinates of the image = (coordinates of the network's input - `pad`) x `scale` + `origin`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mapping {
    /// Image pixels per network pixel, horizontally and vertically.
    pub scale: [f64; 2],
    /// Padding left and above, in network pixels.
    pub pad: [f64; 2],
    /// What was cut off left and above, in image pixels.
    pub origin: [f64; 2],
}

impl Geometry {
    /// The mapping from the network's input to the image.
    ///
    /// `ModelAPI` (`ResizeMetadata.compute`) treats `crop` like `standard`, which puts every box
    /// of a cropped image in the wrong place; here the crop is undone.
    pub fn mapping(&self) -> Mapping {
        let image = [f64::from(self.image.width), f64::from(self.image.height)];
        let network = [
            f64::from(self.network.width.max(1)),
            f64::from(self.network.height.max(1)),
        ];
        let mut mapping = Mapping {
            scale: [image[0] / network[0], image[1] / network[1]],
            pad: [0.0; 2],
            origin: [0.0; 2],
        };
        match self.resize {
            ResizeType::Standard => {}
            ResizeType::Crop => crop(&mut mapping, image, network),
            ResizeType::FitToWindow => keep_proportions(&mut mapping),
            ResizeType::FitToWindowLetterbox | ResizeType::Letterbox => {
                keep_proportions(&mut mapping);
                let scaled = [0, 1].map(|axis| {
                    (image[axis] / mapping.scale[axis])
                        .round_ties_even()
                        .max(1.0)
                });
                mapping.pad = [0, 1].map(|axis| ((network[axis] - scaled[axis]) / 2.0).floor());
                if self.resize == ResizeType::Letterbox {
                    mapping.scale = [0, 1].map(|axis| image[axis] / scaled[axis]);
                }
            }
        }
        mapping
    }
}

fn keep_proportions(mapping: &mut Mapping) {
    mapping.scale = [mapping.scale[0].max(mapping.scale[1]); 2];
}

fn crop(mapping: &mut Mapping, image: [f64; 2], network: [f64; 2]) {
    let side = image[0].min(image[1]);
    mapping.scale = network.map(|extent| side / extent);
    mapping.origin = image.map(|extent| ((extent - side) / 2.0).floor());
}

impl Mapping {
    /// Maps a box (left, upper, right, lower) of the network's input to whole image pixels.
    ///
    /// In `f32` and in the order of `ModelAPI`'s operations, rounded half to even, clipped to the
    /// image. NaN stays NaN.
    pub(crate) fn to_pixels(self, corners: [f32; 4], image: Size) -> [f32; 4] {
        let limit = [image.width as f32, image.height as f32];
        let mut mapped = corners;
        for (index, value) in mapped.iter_mut().enumerate() {
            *value = self.coordinate(index % 2, *value).round_ties_even();
            // `clamp` keeps NaN.
            *value = value.clamp(0.0, limit[index % 2]);
        }
        mapped
    }

    /// As [`to_pixels`](Self::to_pixels), each operation in `f64` and its result in `f32`: the
    /// arithmetic that `ModelAPI` has where it works in place with lists of Python numbers.
    pub(crate) fn to_pixels_f64(self, corners: [f32; 4], image: Size) -> [f32; 4] {
        let limit = [image.width as f32, image.height as f32];
        let mut mapped = corners;
        for (index, value) in mapped.iter_mut().enumerate() {
            let axis = index % 2;
            let unpadded = (f64::from(*value) - self.pad[axis]) as f32;
            let scaled = (f64::from(unpadded) * self.scale[axis]) as f32;
            let placed = (scaled + self.origin[axis] as f32).round_ties_even();
            *value = placed.clamp(0.0, limit[axis]);
        }
        mapped
    }

    /// Maps a column (`axis` 0) or a row (`axis` 1) in `f32`.
    pub(crate) fn coordinate(self, axis: usize, value: f32) -> f32 {
        (value - self.pad[axis] as f32) * self.scale[axis] as f32 + self.origin[axis] as f32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_letterbox_is_undone_by_its_rounded_sides() {
        // Ultralytics 8.4.190: 3000 x 1003 becomes 640 x 214, not 213.97.
        let of = |resize| Geometry {
            image: Size::new(3000, 1003),
            network: Size::new(640, 640),
            resize,
        };
        let exact = of(ResizeType::Letterbox).mapping();
        assert!((exact.scale[1] - 1003.0 / 214.0).abs() < 1e-9, "{exact:?}");
        let common = of(ResizeType::FitToWindowLetterbox).mapping();
        assert!((common.scale[1] - 4.6875).abs() < 1e-9, "{common:?}");
        assert_eq!(exact.pad, common.pad);
    }

    #[test]
    fn every_resize_type_is_undone() {
        struct Case(ResizeType, [f32; 4], [f32; 4]);
        let image = Size::new(200, 100);
        let network = Size::new(50, 50);
        for Case(resize, corners, expected) in [
            Case(
                ResizeType::Standard,
                [0.0, 0.0, 50.0, 50.0],
                [0.0, 0.0, 200.0, 100.0],
            ),
            Case(
                ResizeType::FitToWindow,
                [0.0, 0.0, 50.0, 25.0],
                [0.0, 0.0, 200.0, 100.0],
            ),
            Case(
                ResizeType::FitToWindowLetterbox,
                [0.0, 12.0, 50.0, 37.0],
                [0.0, 0.0, 200.0, 100.0],
            ),
            Case(
                ResizeType::Letterbox,
                [0.0, 12.0, 50.0, 37.0],
                [0.0, 0.0, 200.0, 100.0],
            ),
            Case(
                ResizeType::Crop,
                [0.0, 0.0, 50.0, 50.0],
                [50.0, 0.0, 150.0, 100.0],
            ),
            Case(
                ResizeType::Standard,
                [-9.0, 1.1, 60.0, 2.0],
                [0.0, 2.0, 200.0, 4.0],
            ),
        ] {
            let geometry = Geometry {
                image,
                network,
                resize,
            };
            assert_eq!(
                geometry.mapping().to_pixels(corners, image),
                expected,
                "{resize:?}"
            );
        }
    }
}
