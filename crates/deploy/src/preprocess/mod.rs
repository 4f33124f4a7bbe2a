//! From an image to the model's input.
//!
//! Resizing runs on the CPU in our own code; its result is copied into the memory of the inference
//! request, between padding where there is some. Where Geti 3's intensity modes do more than to
//! scale, or a model wants quantised integers, the values are computed here too. OpenVINO then converts, normalises and
//! transposes as part of the model, where these steps are fused with the first layer. (In the
//! graph, resizing a 640 x 480 image costs about 0.9 ms, here 0.1 ms.)
//!
//! Models whose pre-processing is embedded (`embedded_processing`) take the image as it is when
//! their input has no fixed size.

mod intensity;
mod interpolation;
mod placement;
mod values;

use straylight_engine::{Dimension, ElementType, ImageInput, Layout, Session, TensorInfo};
use straylight_image::{Fit, ScaledSize};
use straylight_tasks::{Geometry, ResizeType, Size};

use intensity::{Depth, Mode};
use interpolation::Interpolation;
use placement::{BeforeCut, Placement};
use values::{Canvas, Values};

use crate::DeployError;
use crate::config::Config;
use crate::picture::Picture;
use crate::quantised::QuantisedInput;

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
    /// To what the image is scaled before the middle is cut out.
    before_cut: Option<BeforeCut>,
    /// Of what the sides of an open input are multiples, when padding is no more than needed.
    multiple: Option<u32>,
    filter: Interpolation,
    pad_value: u16,
    normalise: Option<ImageInput>,
    /// What is computed here and not by the engine.
    values: Option<Values>,
}

/// What a model file says of its image input beside its configuration.
#[derive(Debug, Clone, Default)]
pub(crate) struct StatedInput<'a> {
    /// The order of the axes, such as `NCHW`.
    pub(crate) layout: Option<&'a str>,
    /// How its integers stand for real numbers.
    pub(crate) quantised: Option<QuantisedInput>,
}

impl Preprocess {
    /// Reads a model's pre-processing from its configuration and its image input.
    pub(crate) fn new(
        config: &Config,
        resize: ResizeType,
        input: &TensorInfo,
        stated: StatedInput<'_>,
    ) -> Result<Self, DeployError> {
        let embedded = config.switch("embedded_processing", false)?;
        let layout = layout_of(config, input, stated.layout)?;
        let ((Layout::Nchw, &[_, _, height, width]) | (Layout::Nhwc, &[_, height, width, _])) =
            (layout, input.shape.as_slice())
        else {
            return Err(no_image(config, input));
        };
        check_one_rgb_image(config, input, layout)?;
        if stated.quantised.is_none() && !input.element.holds_levels() {
            let reason = format!("input `{}` {TOO_NARROW}", input.name);
            return Err(DeployError::model(config.path(), reason));
        }
        let original = (
            config.number("orig_width", 0)?,
            config.number("orig_height", 0)?,
        );
        let depth = Depth::read(config)?;
        let mode = Mode::read(config, depth)?;
        let mut made = Self {
            size: size(width, height).or(stated_size(config, "input_size")?),
            is_dynamic: input.shape.contains(&None),
            embedded_size: size(Some(original.0), Some(original.1)).filter(|_| embedded),
            resize,
            before_cut: before_cut(config)?,
            multiple: multiple(config, size(width, height))?,
            filter: Interpolation::of(config)?,
            pad_value: pad_value(config, depth)?,
            normalise: None,
            values: None,
        };
        made.check_depth(config, depth)?;
        if embedded {
            if depth != Depth::U8 || mode != Mode::None {
                let reason = "the model has its pre-processing embedded, and asks for more";
                return Err(config.wrong("intensity_mode", reason));
            }
            return Ok(made);
        }
        made.normalise(config, input, layout, (depth, mode), stated.quantised)?;
        Ok(made)
    }

    /// Refuses what is done to images of 8 bits only.
    fn check_depth(&self, config: &Config, depth: Depth) -> Result<(), DeployError> {
        let plain = self.before_cut.is_none() && self.filter.of_values().is_some();
        if depth == Depth::U8 || plain {
            return Ok(());
        }
        let reason =
            "images of this type are neither scaled as Pillow does nor by their shorter side";
        Err(config.wrong("input_dtype", reason))
    }

    /// Splits the work on pixels between the engine and [`Values`].
    fn normalise(
        &mut self,
        config: &Config,
        input: &TensorInfo,
        layout: Layout,
        (depth, mode): (Depth, Mode),
        quantised: Option<QuantisedInput>,
    ) -> Result<(), DeployError> {
        let mut engine = normalisation(config, layout)?;
        if let Some(mut quantised) = quantised {
            if depth != Depth::U8 || mode != Mode::None {
                let reason = "cannot be combined with a quantised input";
                return Err(config.wrong("input_dtype", reason));
            }
            quantised.normalise(&mut engine);
            engine.element = ElementType::F32;
            self.values = Some(Values {
                depth,
                mode,
                quantised: Some(quantised),
            });
            self.normalise = Some(engine);
            return Ok(());
        }
        check_integers(config, input, &engine)?;
        let factor = mode.factor(depth);
        engine.multiply(factor.unwrap_or(1.0));
        if depth != Depth::U8 || factor.is_none() {
            let mode = if factor.is_some() { Mode::None } else { mode };
            engine.element = ElementType::F32;
            self.values = Some(Values {
                depth,
                mode,
                quantised: None,
            });
        }
        self.normalise = Some(engine);
        Ok(())
    }

    /// What the engine builds into the model.
    pub(crate) fn image_input(&self) -> Option<&ImageInput> {
        self.normalise.as_ref()
    }

    /// Whether images must have 16 bits a sample.
    pub(crate) fn is_deep(&self) -> bool {
        self.values
            .as_ref()
            .is_some_and(|values| values.depth.is_deep())
    }

    /// To what size images are scaled, when they may be decoded smaller than they are.
    pub(crate) fn scaled_size(&self) -> Option<ScaledSize> {
        // Nearest neighbours are single pixels of the file, not means of them.
        if self.is_deep() || self.filter.is_nearest() {
            return None;
        }
        let size = self.size?;
        let scaled = |size: Size, fit| ScaledSize {
            width: size.width,
            height: size.height,
            fit,
        };
        Some(match (self.before_cut, self.resize) {
            (Some(BeforeCut::ShorterSide(side)), _) => {
                let side = side.max(size.width).max(size.height);
                scaled(Size::new(side, side), Fit::Cover)
            }
            (Some(BeforeCut::Stretched(before)), _) => {
                let width = before.width.max(size.width);
                scaled(
                    Size::new(width, before.height.max(size.height)),
                    Fit::Stretch,
                )
            }
            (None, ResizeType::Standard) => scaled(size, Fit::Stretch),
            // The square that is cut out is counted in pixels of the whole image.
            (None, ResizeType::Crop) => return None,
            (None, _) => scaled(size, Fit::Inside),
        })
    }

    /// What happens to an image of this size on its way into the network.
    pub(crate) fn geometry(&self, image: Size) -> Geometry {
        let network = self.embedded_size.unwrap_or_else(|| self.input_size(image));
        Geometry {
            image,
            network,
            resize: self.resize,
        }
    }

    /// The size of the input for an image.
    fn input_size(&self, image: Size) -> Size {
        match (self.size, self.multiple) {
            (Some(largest), Some(multiple)) => placement::least_input(image, largest, multiple),
            (size, _) => size.unwrap_or(image),
        }
    }

    /// Writes an image into a session's input.
    pub(crate) fn write(
        &self,
        picture: Picture<'_>,
        session: &mut Session,
    ) -> Result<(), DeployError> {
        let input = self.input_size(picture.size);
        if self.is_dynamic {
            session.set_input_shape(0, &[1, input.height as usize, input.width as usize, 3])?;
        }
        let placement = match self.before_cut {
            Some(before) => Placement::cut_after_scaling(picture.size, input, before),
            None => Placement::new(self.resize, picture.size, input),
        };
        let canvas = Canvas {
            placement,
            filter: self.filter,
            pad_value: self.pad_value,
            width: input.width,
        };
        let Some(values) = &self.values else {
            session.write_input(0, |pixels: &mut [u8]| canvas.levels(picture.image, pixels))?;
            return Ok(());
        };
        let filled = session.write_input(0, |target: &mut [f32]| {
            values.fill(picture, &canvas, target)
        })?;
        filled.map_err(|reason| DeployError::OtherImage { reason })
    }
}

fn pad_value(config: &Config, depth: Depth) -> Result<u16, DeployError> {
    let value: u16 = config.number("pad_value", 0)?;
    if value > depth.greatest() {
        let reason = format!(
            "`{value}` is no pixel value: {} is the most",
            depth.greatest()
        );
        return Err(config.wrong("pad_value", reason));
    }
    Ok(value)
}

/// Refuses to normalise for a model that takes whole numbers: fractions would be cut off.
fn check_integers(
    config: &Config,
    input: &TensorInfo,
    engine: &ImageInput,
) -> Result<(), DeployError> {
    if input.element.is_float() || !engine.changes_values() {
        return Ok(());
    }
    let reason = format!(
        "input `{}` takes whole numbers ({:?}), which cannot be normalised: such a model \
         normalises inside its graph; leave mean and scale out",
        input.name, input.element
    );
    Err(config.wrong("mean_values", reason))
}

/// `None` when a side is unknown or 0.
fn size(width: Dimension, height: Dimension) -> Option<Size> {
    let side = |dimension: Dimension| dimension.map(|side| side as u32).filter(|&side| side > 0);
    Some(Size::new(side(width)?, side(height)?))
}

/// A size that a description states.
fn stated_size(config: &Config, key: &str) -> Result<Option<Size>, DeployError> {
    match *config.numbers::<u32>(key)?.as_slice() {
        [] => Ok(None),
        [width, height] if width > 0 && height > 0 => Ok(Some(Size::new(width, height))),
        _ => Err(config.wrong(key, "wanted width and height")),
    }
}

fn before_cut(config: &Config) -> Result<Option<BeforeCut>, DeployError> {
    let key = "shorter_side";
    Ok(match config.text(key) {
        Some(_) => Some(BeforeCut::ShorterSide(config.number(key, 0)?)),
        None => stated_size(config, "scaled_size")?.map(BeforeCut::Stretched),
    })
}

/// Of what the sides of an input are multiples whose size the graph leaves open.
fn multiple(config: &Config, fixed: Option<Size>) -> Result<Option<u32>, DeployError> {
    let key = "padding_multiple";
    match config.text(key) {
        None => Ok(None),
        Some(_) if fixed.is_some() => {
            Err(config.wrong(key, "is for models that leave the size of their input open"))
        }
        Some(_) => Ok(Some(config.number(key, 1)?)),
    }
}

/// Said of an input whose type cannot hold pixels; they would wrap around without a word.
pub(crate) const TOO_NARROW: &str = "is of a type that does not hold all levels of a pixel, 0 to 255: export the \
     model with an input of f32 or u8";

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
        element: ElementType::U8,
        reverse_channels,
        mean,
        scale,
    })
}
