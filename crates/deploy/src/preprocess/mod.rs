//! From an image to the model's input.
//!
//! Resizing runs on the CPU in our own code; its result is copied into the memory of the inference
//! request, between padding where there is some. OpenVINO then converts, normalises and
//! transposes as part of the model, where these steps are fused with the first layer. (In the
//! graph, resizing a 640 x 480 image costs about 0.9 ms, here 0.1 ms.)
//!
//! Models whose pre-processing is embedded (`embedded_processing`) take the image as it is when
//! their input has no fixed size.

mod interpolation;
mod placement;

use straylight_core::RgbImage;
use straylight_engine::{Dimension, ImageInput, Layout, Session, TensorInfo};
use straylight_tasks::{Geometry, ResizeType, Size};

use interpolation::Interpolation;
use placement::Placement;
pub(crate) use placement::cut;

use crate::DeployError;
use crate::config::Config;

/// How a model's input image is made.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Preprocess {
    /// The input's size; `None` when the model takes any size.
    size: Option<Size>,
    /// Whether the request must be told the input's shape: some of its sizes are not fixed.
    is_dynamic: bool,
    /// The size to which an embedded pre-processing brings the image.
    embedded_size: Option<Size>,
    resize: ResizeType,
    /// The length to which the shorter side is scaled before the middle is cut out.
    shorter_side: Option<u32>,
    interpolation: Interpolation,
    pad_value: u8,
    normalise: Option<ImageInput>,
}

impl Preprocess {
    /// Reads a model's pre-processing from its configuration and its image input.
    ///
    /// `stated` is the layout that the model file states for the input, such as `NCHW`.
    pub(crate) fn new(
        config: &Config,
        resize: ResizeType,
        input: &TensorInfo,
        stated: Option<&str>,
    ) -> Result<Self, DeployError> {
        let embedded = config.switch("embedded_processing", false)?;
        let layout = layout_of(config, input, stated)?;
        let ((Layout::Nchw, &[_, _, height, width]) | (Layout::Nhwc, &[_, height, width, _])) =
            (layout, input.shape.as_slice())
        else {
            return Err(no_image(config, input));
        };
        check_one_rgb_image(config, input, layout)?;
        let original = (
            config.number("orig_width", 0)?,
            config.number("orig_height", 0)?,
        );
        Ok(Self {
            size: size(width, height).or(stated_size(config)?),
            is_dynamic: input.shape.contains(&None),
            embedded_size: size(Some(original.0), Some(original.1)).filter(|_| embedded),
            resize,
            shorter_side: config
                .text("shorter_side")
                .map(|_| config.number("shorter_side", 0))
                .transpose()?,
            interpolation: Interpolation::of(config)?,
            pad_value: config.number::<u16>("pad_value", 0)?.min(255) as u8,
            normalise: if embedded {
                None
            } else {
                Some(normalisation(config, layout)?)
            },
        })
    }

    /// What the engine builds into the model.
    pub(crate) fn image_input(&self) -> Option<&ImageInput> {
        self.normalise.as_ref()
    }

    /// What happens to an image of this size on its way into the network.
    pub(crate) fn geometry(&self, image: &RgbImage) -> Geometry {
        let image = size_of(image);
        let network = self.embedded_size.or(self.size).unwrap_or(image);
        Geometry {
            image,
            network,
            resize: self.resize,
        }
    }

    /// Writes an image into a session's input.
    pub(crate) fn write(&self, image: &RgbImage, session: &mut Session) -> Result<(), DeployError> {
        let input = self.size.unwrap_or(size_of(image));
        if self.is_dynamic {
            session.set_input_shape(0, &[1, input.height as usize, input.width as usize, 3])?;
        }
        let placement = match self.shorter_side {
            Some(side) => Placement::cut_after_scaling(size_of(image), input, side),
            None => Placement::new(self.resize, size_of(image), input),
        };
        session.write_input(0, |pixels: &mut [u8]| {
            self.fill(image, &placement, input.width as usize * 3, pixels);
        })?;
        Ok(())
    }

    fn fill(&self, image: &RgbImage, placement: &Placement, row: usize, pixels: &mut [u8]) {
        let part = placement.part.and_then(|part| cut(image, part));
        let source = part.as_ref().unwrap_or(image);
        let scaled = placement.scaled;
        let scaled = self.interpolation.scale(source, scaled);
        let scaled = match placement.cut {
            Some(part) => cut(&scaled, part).unwrap_or(scaled),
            None => scaled,
        };
        if pixels.len() == scaled.data().len() {
            pixels.copy_from_slice(scaled.data());
            return;
        }
        pixels.fill(self.pad_value);
        let (left, top) = placement.offset;
        let start = left as usize * 3;
        let rows = pixels.chunks_exact_mut(row).skip(top as usize);
        for (row, source) in rows.zip(scaled.data().chunks_exact(scaled.width() as usize * 3)) {
            if let Some(target) = row.get_mut(start..start + source.len()) {
                target.copy_from_slice(source);
            }
        }
    }
}

fn size_of(image: &RgbImage) -> Size {
    Size::new(image.width(), image.height())
}

/// `None` when a side is unknown or 0.
fn size(width: Dimension, height: Dimension) -> Option<Size> {
    let side = |dimension: Dimension| dimension.map(|side| side as u32).filter(|&side| side > 0);
    Some(Size::new(side(width)?, side(height)?))
}

/// The size that a description states for an input that leaves its own open.
fn stated_size(config: &Config) -> Result<Option<Size>, DeployError> {
    match *config.numbers::<u32>("input_size")?.as_slice() {
        [] => Ok(None),
        [width, height] if width > 0 && height > 0 => Ok(Some(Size::new(width, height))),
        _ => Err(config.wrong("input_size", "wanted width and height")),
    }
}

fn no_image(config: &Config, input: &TensorInfo) -> DeployError {
    let reason = format!(
        "input `{}` of shape {} is not one image",
        input.name,
        input.shape_text()
    );
    DeployError::model(config.path(), reason)
}

/// Images have three channels and come one at a time.
fn check_one_rgb_image(
    config: &Config,
    input: &TensorInfo,
    layout: Layout,
) -> Result<(), DeployError> {
    let wrong = |reason: String| {
        let (name, shape) = (&input.name, input.shape_text());
        let reason = format!("input `{name}` of shape {shape} {reason}");
        Err(DeployError::model(config.path(), reason))
    };
    let channels = match layout {
        Layout::Nchw => input.shape.get(1),
        Layout::Nhwc => input.shape.get(3),
    };
    match (input.shape.first(), channels) {
        (Some(&Some(images)), _) if images != 1 => wrong(format!(
            "takes {images} images at once: export the model for one"
        )),
        (_, Some(&Some(channels))) if channels != 3 => wrong(format!(
            "has {channels} channels in the layout {}, not 3",
            layout.as_str()
        )),
        _ => Ok(()),
    }
}

/// The layout that the model states, or what its shape looks like: a second axis of 1 to 4 is
/// taken for channels.
fn layout_of(
    config: &Config,
    input: &TensorInfo,
    stated: Option<&str>,
) -> Result<Layout, DeployError> {
    let stated = match stated {
        Some("NCHW") => Some(Layout::Nchw),
        Some("NHWC") => Some(Layout::Nhwc),
        _ => None,
    };
    match (stated, input.shape.as_slice()) {
        (Some(layout), [_, _, _, _]) => Ok(layout),
        (None, [_, Some(1..=4), _, _]) => Ok(Layout::Nchw),
        (None, [_, _, _, Some(1..=4)]) => Ok(Layout::Nhwc),
        _ => Err(no_image(config, input)),
    }
}

fn normalisation(config: &Config, layout: Layout) -> Result<ImageInput, DeployError> {
    let channels = |key: &str| -> Result<Vec<f32>, DeployError> {
        let values = config.numbers::<f32>(key)?;
        match values.len() {
            0 | 3 => Ok(values),
            1 => Ok(values.repeat(3)),
            count => Err(config.wrong(key, format!("has {count} values for 3 channels"))),
        }
    };
    let (mean, scale) = (channels("mean_values")?, channels("scale_values")?);
    if scale
        .iter()
        .any(|&value| value == 0.0 || !value.is_finite())
    {
        return Err(config.wrong("scale_values", "a channel cannot be divided by 0"));
    }
    let reverse_channels = config.switch("reverse_input_channels", false)?;
    Ok(ImageInput {
        layout,
        reverse_channels,
        mean,
        scale,
    })
}
