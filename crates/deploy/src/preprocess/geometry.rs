use straylight_core::RgbImage;

use crate::DeployError;
use crate::config::Config;

/// How an image is brought to the size of a model's input (ModelAPI's `resize_type`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fit {
    /// Stretched to the input's size.
    Standard,
    /// Scaled with its aspect ratio kept, in the upper left corner, padded right and below.
    Window,
    /// Scaled with its aspect ratio kept, in the middle, padded on all sides.
    Letterbox,
    /// The largest part in the middle with the input's aspect ratio, scaled.
    Crop,
}

/// A part of an image, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Crop {
    pub(crate) left: u32,
    pub(crate) top: u32,
    pub(crate) width: u32,
    pub(crate) height: u32,
}

/// Where an image lies in a model's input, and how to get back.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Placement {
    /// Size of the image, width first.
    pub(crate) image: (u32, u32),
    /// The part of the image that is used; `None` for all of it.
    pub(crate) crop: Option<Crop>,
    /// Size to which it is scaled, width first.
    pub(crate) scaled: (u32, u32),
    /// Padding left of it and above it.
    pub(crate) offset: (u32, u32),
    /// Image pixels per input pixel, along x and y.
    pub(crate) inverse_scale: (f64, f64),
}

impl Fit {
    pub(super) fn parse(config: &Config) -> Result<Self, DeployError> {
        match config.text("resize_type").unwrap_or("standard") {
            "standard" => Ok(Self::Standard),
            "fit_to_window" => Ok(Self::Window),
            "fit_to_window_letterbox" => Ok(Self::Letterbox),
            "crop" => Ok(Self::Crop),
            other => {
                let reason = format!(
                    "`{other}` is none of standard, fit_to_window, fit_to_window_letterbox, crop"
                );
                Err(config.wrong("resize_type", reason))
            }
        }
    }

    /// Places an image in an input; both sizes are width first and at least 1.
    pub(super) fn place(self, image: (u32, u32), input: (u32, u32)) -> Placement {
        let stretch = (ratio(image.0, input.0), ratio(image.1, input.1));
        let whole = Placement {
            image,
            crop: None,
            scaled: input,
            offset: (0, 0),
            inverse_scale: stretch,
        };
        match self {
            Self::Standard => whole,
            Self::Window => Placement {
                ..kept_ratio(whole, input)
            },
            Self::Letterbox => {
                let placed = kept_ratio(whole, input);
                Placement {
                    offset: middle(placed, input),
                    ..placed
                }
            }
            Self::Crop => {
                let crop = largest_part(image, input);
                let inverse_scale = (ratio(crop.width, input.0), ratio(crop.height, input.1));
                Placement {
                    crop: Some(crop),
                    inverse_scale,
                    ..whole
                }
            }
        }
    }
}

fn ratio(a: u32, b: u32) -> f64 {
    f64::from(a) / f64::from(b.max(1))
}

/// Scales by the smaller of both factors, in f32 and with halves to even, as the graph does.
fn kept_ratio(whole: Placement, input: (u32, u32)) -> Placement {
    let (width, height) = (whole.image.0 as f32, whole.image.1 as f32);
    let scale = (input.0 as f32 / width).min(input.1 as f32 / height);
    let side =
        |length: f32, limit: u32| ((length * scale).round_ties_even() as u32).clamp(1, limit);
    let inverse = whole.inverse_scale.0.max(whole.inverse_scale.1);
    Placement {
        scaled: (side(width, input.0), side(height, input.1)),
        inverse_scale: (inverse, inverse),
        ..whole
    }
}

fn middle(placed: Placement, input: (u32, u32)) -> (u32, u32) {
    (
        (input.0 - placed.scaled.0) / 2,
        (input.1 - placed.scaled.1) / 2,
    )
}

/// The largest centred part of an image with the input's aspect ratio.
fn largest_part(image: (u32, u32), input: (u32, u32)) -> Crop {
    let wanted = ratio(input.0, input.1);
    let (width, height) = (f64::from(image.0), f64::from(image.1));
    let (width, height) = if width / height > wanted {
        (((height * wanted) as u32).max(1), image.1)
    } else {
        (image.0, ((width / wanted) as u32).max(1))
    };
    Crop {
        left: (image.0 - width) / 2,
        top: (image.1 - height) / 2,
        width,
        height,
    }
}

impl Crop {
    /// The whole image when the part does not lie in it.
    pub(crate) fn cut(self, image: &RgbImage) -> RgbImage {
        let row = image.width() as usize * 3;
        let rows = image
            .data()
            .chunks_exact(row)
            .skip(self.top as usize)
            .take(self.height as usize);
        let (start, length) = (self.left as usize * 3, self.width as usize * 3);
        let data: Vec<u8> = rows
            .flat_map(|row| row.get(start..start + length).unwrap_or_default())
            .copied()
            .collect();
        RgbImage::new(self.width, self.height, data).unwrap_or_else(|_| image.clone())
    }
}

impl Placement {
    pub(super) fn identity(image: (u32, u32)) -> Self {
        Self {
            image,
            crop: None,
            scaled: image,
            offset: (0, 0),
            inverse_scale: (1.0, 1.0),
        }
    }

    /// Takes a point of the model's input to the image; it may lie outside.
    pub(crate) fn to_image(self, x: f64, y: f64) -> (f64, f64) {
        let (left, top) = self.crop.map_or((0, 0), |crop| (crop.left, crop.top));
        let back = |value: f64, pad: u32, scale: f64, start: u32| {
            (value - f64::from(pad)) * scale + f64::from(start)
        };
        (
            back(x, self.offset.0, self.inverse_scale.0, left),
            back(y, self.offset.1, self.inverse_scale.1, top),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_placed_as_model_api_places_them() {
        struct Case(Fit, (u32, u32), (u32, u32), (u32, u32));
        for Case(fit, image, scaled, offset) in [
            Case(Fit::Standard, (640, 480), (224, 224), (0, 0)),
            Case(Fit::Window, (640, 480), (224, 168), (0, 0)),
            Case(Fit::Letterbox, (640, 480), (224, 168), (0, 28)),
            Case(Fit::Letterbox, (300, 1), (224, 1), (0, 111)),
            Case(Fit::Window, (1, 8000), (1, 224), (0, 0)),
            Case(Fit::Crop, (640, 480), (224, 224), (0, 0)),
        ] {
            let placed = fit.place(image, (224, 224));
            assert_eq!(
                (placed.scaled, placed.offset),
                (scaled, offset),
                "{fit:?} {image:?}"
            );
        }
    }

    #[test]
    fn the_middle_square_is_cut() {
        let crop = Fit::Crop.place((641, 480), (224, 224)).crop;
        assert_eq!(
            crop,
            Some(Crop {
                left: 80,
                top: 0,
                width: 480,
                height: 480
            })
        );
        let image = RgbImage::new(3, 1, vec![1, 1, 1, 2, 2, 2, 3, 3, 3]).unwrap();
        let part = Crop {
            left: 1,
            top: 0,
            width: 1,
            height: 1,
        }
        .cut(&image);
        assert_eq!(part.data(), [2, 2, 2]);
    }

    proptest::proptest! {
        #[test]
        fn corners_come_back(width in 1u32..9000, height in 1u32..9000, w in 1u32..700, h in 1u32..700) {
            for fit in [Fit::Standard, Fit::Window, Fit::Letterbox, Fit::Crop] {
                let placed = fit.place((width, height), (w, h));
                proptest::prop_assert!(placed.scaled.0 + placed.offset.0 <= w);
                proptest::prop_assert!(placed.scaled.1 + placed.offset.1 <= h);
                let (x, y) = placed.to_image(f64::from(placed.offset.0), f64::from(placed.offset.1));
                let crop = placed.crop.map_or((0, 0), |crop| (crop.left, crop.top));
                proptest::prop_assert!((x - f64::from(crop.0)).abs() < 1e-6);
                proptest::prop_assert!((y - f64::from(crop.1)).abs() < 1e-6);
            }
        }
    }
}
