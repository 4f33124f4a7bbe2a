use straylight_tasks::{ResizeType, Size, Tile};

/// Where an image lies in a model's input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Placement {
    /// The part of the image that is used; `None` for all of it.
    pub(super) part: Option<Tile>,
    /// Size to which it is scaled.
    pub(super) scaled: Size,
    /// Padding left of it and above it.
    pub(super) offset: (u32, u32),
    /// The part of the scaled image that is used; `None` for all of it.
    pub(super) cut: Option<Tile>,
}

impl Placement {
    /// Places an image in an input; no side is 0.
    pub(super) fn new(resize: ResizeType, image: Size, input: Size) -> Self {
        let whole = Self {
            part: None,
            scaled: input,
            offset: (0, 0),
            cut: None,
        };
        match resize {
            ResizeType::FitToWindow => Self {
                scaled: kept_ratio(image, input),
                ..whole
            },
            ResizeType::FitToWindowLetterbox | ResizeType::Letterbox => {
                let scaled = kept_ratio(image, input);
                let middle = |outer: u32, inner: u32| outer.saturating_sub(inner) / 2;
                let offset = (
                    middle(input.width, scaled.width),
                    middle(input.height, scaled.height),
                );
                Self {
                    scaled,
                    offset,
                    ..whole
                }
            }
            ResizeType::Crop => Self {
                part: Some(middle_square(image)),
                ..whole
            },
            // `standard`, and whatever is added later without an arm of its own.
            _ => whole,
        }
    }
}

/// To what an image is scaled before the middle is cut out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BeforeCut {
    /// Its shorter side gets this length.
    ShorterSide(u32),
    /// It is stretched to this size.
    Stretched(Size),
}

impl BeforeCut {
    /// The size of the scaled image, which covers the input.
    fn size(self, image: Size, input: Size) -> Size {
        let side = match self {
            Self::ShorterSide(side) => side.max(input.width).max(input.height),
            Self::Stretched(size) => {
                return Size::new(size.width.max(input.width), size.height.max(input.height));
            }
        };
        let (short, long) = (image.width.min(image.height), image.width.max(image.height));
        let long = (u64::from(side) * u64::from(long) / u64::from(short.max(1))) as u32;
        if image.width <= image.height {
            Size::new(side, long)
        } else {
            Size::new(long, side)
        }
    }
}

impl Placement {
    /// Scales an image, then cuts the input out of the middle, as torchvision's `Resize` and
    /// `CenterCrop` do.
    pub(super) fn cut_after_scaling(image: Size, input: Size, before: BeforeCut) -> Self {
        let scaled = before.size(image, input);
        // Python rounds halves to even.
        let middle = |outer: u32, inner: u32| {
            (f64::from(outer.saturating_sub(inner)) / 2.0).round_ties_even() as u32
        };
        Self {
            part: None,
            scaled,
            offset: (0, 0),
            cut: Some(Tile {
                left: middle(scaled.width, input.width),
                top: middle(scaled.height, input.height),
                size: input,
            }),
        }
    }
}

/// The input of a model that leaves its size open: as `largest`, but with only as much padding as
/// makes each side a multiple of `multiple`, as Ultralytics' letterbox does.
pub(super) fn least_input(image: Size, largest: Size, multiple: u32) -> Size {
    let scaled = kept_ratio(image, largest);
    let side =
        |scaled: u32, largest: u32| scaled + largest.saturating_sub(scaled) % multiple.max(1);
    Size::new(
        side(scaled.width, largest.width),
        side(scaled.height, largest.height),
    )
}

/// Scales by the smaller of both factors, in f32 and with halves to even, as the graph does.
fn kept_ratio(image: Size, input: Size) -> Size {
    let (width, height) = (image.width as f32, image.height as f32);
    let scale = (input.width as f32 / width).min(input.height as f32 / height);
    let side =
        |length: f32, limit: u32| ((length * scale).round_ties_even() as u32).clamp(1, limit);
    Size::new(side(width, input.width), side(height, input.height))
}

fn middle_square(image: Size) -> Tile {
    let side = image.width.min(image.height);
    Tile {
        left: (image.width - side) / 2,
        top: (image.height - side) / 2,
        size: Size::new(side, side),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_placed_as_model_api_places_them() {
        struct Case(ResizeType, (u32, u32), (u32, u32), (u32, u32));
        for Case(resize, (width, height), scaled, offset) in [
            Case(ResizeType::Standard, (640, 480), (224, 224), (0, 0)),
            Case(ResizeType::FitToWindow, (640, 480), (224, 168), (0, 0)),
            Case(
                ResizeType::FitToWindowLetterbox,
                (640, 480),
                (224, 168),
                (0, 28),
            ),
            Case(
                ResizeType::FitToWindowLetterbox,
                (300, 1),
                (224, 1),
                (0, 111),
            ),
            Case(ResizeType::FitToWindow, (1, 8000), (1, 224), (0, 0)),
            Case(ResizeType::Crop, (640, 480), (224, 224), (0, 0)),
        ] {
            let placed = Placement::new(resize, Size::new(width, height), Size::new(224, 224));
            assert_eq!(
                placed.scaled,
                Size::new(scaled.0, scaled.1),
                "{resize:?} {width}"
            );
            assert_eq!(placed.offset, offset, "{resize:?} {width}");
        }
    }

    #[test]
    fn the_input_is_as_small_as_the_multiple_allows() {
        // Ultralytics 8.4.190, LetterBox(320, auto=True, stride=32).
        let input = |width, height| least_input(Size::new(width, height), Size::new(320, 320), 32);
        assert_eq!(input(1024, 768), Size::new(320, 256));
        assert_eq!(input(352, 448), Size::new(251 + 69 % 32, 320));
        assert_eq!(input(500, 500), Size::new(320, 320));
    }

    #[test]
    fn the_middle_is_cut_out_of_a_stretched_image() {
        let before = BeforeCut::Stretched(Size::new(256, 256));
        let placed = Placement::cut_after_scaling(Size::new(640, 480), Size::new(224, 224), before);
        assert_eq!(placed.scaled, Size::new(256, 256));
        let cut = placed.cut.map(|cut| (cut.left, cut.top));
        assert_eq!(cut, Some((16, 16)));
    }

    #[test]
    fn the_middle_square_is_cut() {
        let part = middle_square(Size::new(641, 480));
        assert_eq!(
            part,
            Tile {
                left: 80,
                top: 0,
                size: Size::new(480, 480)
            }
        );
    }

    proptest::proptest! {
        #[test]
        fn images_lie_in_the_input(width in 1u32..9000, height in 1u32..9000, w in 1u32..700, h in 1u32..700) {
            use ResizeType::{Crop, FitToWindow, FitToWindowLetterbox, Standard};
            for resize in [Standard, FitToWindow, FitToWindowLetterbox, Crop] {
                let placed = Placement::new(resize, Size::new(width, height), Size::new(w, h));
                proptest::prop_assert!(placed.scaled.width >= 1 && placed.scaled.height >= 1);
                proptest::prop_assert!(placed.scaled.width + placed.offset.0 <= w);
                proptest::prop_assert!(placed.scaled.height + placed.offset.1 <= h);
            }
        }
    }
}
