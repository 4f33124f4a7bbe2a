//! Pictures of predictions: shapes, labels, the OOD score, saliency.
//!
//! Design: a line lies between two seams, black or white, whichever contrasts with the line's
//! colour; text stands on its label's colour in black or white. So both can be seen on any
//! background. Sizes follow the image's size; images too small for text are enlarged by a whole
//! factor first. Nothing depends on time, threads or installed fonts: the same input
//! gives the same bytes.

pub(crate) mod canvas;
pub(crate) mod font;
pub(crate) mod heat;
mod label;
mod shape;
mod style;

use std::borrow::Cow;

use canvas::{Area, Canvas};
use label::{Places, Tag, wishes};
use straylight_core::{Annotation, Color, Prediction, RgbImage, SaliencyMap};
use style::Style;

use crate::thumbnail;

/// Draws predictions onto images.
///
/// ```
/// use straylight_core::{Prediction, RgbImage};
/// use straylight_image::Visualizer;
///
/// let photo = RgbImage::filled(640, 480, [90, 120, 60])?;
/// let picture = Visualizer::default().draw(&photo, &Prediction::default(), Some(0.87));
/// assert_eq!((picture.width(), picture.height()), (640, 480));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visualizer {
    /// Whether names are written.
    pub labels: bool,
    /// Whether the probability follows each name.
    pub probabilities: bool,
    /// How strongly the inside of a shape is coloured: 0 not at all, 255 fully.
    pub fill: u8,
    /// How strongly a saliency map covers the image at its hottest place, 0 to 255.
    pub heat: u8,
    /// Images whose longer side is shorter than this are enlarged by a whole factor, so that
    /// text can be read; 0 never enlarges.
    pub enlarge_to: u32,
    /// Images whose longer side is longer than this are shrunk before anything is drawn, so that
    /// lines and text stay sharp: to this, or by a whole factor, which is quicker, if that makes
    /// the side at least three quarters of this; 0 never shrinks.
    pub shrink_to: u32,
}

impl Default for Visualizer {
    fn default() -> Self {
        Self {
            labels: true,
            probabilities: true,
            fill: 50,
            heat: 180,
            enlarge_to: 320,
            shrink_to: 0,
        }
    }
}

impl Visualizer {
    /// Draws a prediction and, if there is one, its OOD score (higher is stranger).
    ///
    /// Labels of the whole image are listed in the upper left corner, the score stands in the
    /// lower left one. The picture has the image's size, unless the image is so small that it
    /// is enlarged (see [`Visualizer::enlarge_to`]) or larger than is asked for (see
    /// [`Visualizer::shrink_to`]).
    pub fn draw(
        &self,
        image: &RgbImage,
        prediction: &Prediction,
        ood_score: Option<f64>,
    ) -> RgbImage {
        self.draw_on(Cow::Borrowed(image), prediction, ood_score)
    }

    /// Draws as [`Visualizer::draw`] does; an image that is handed over is drawn on and not copied.
    pub fn draw_on(
        &self,
        image: Cow<'_, RgbImage>,
        prediction: &Prediction,
        ood_score: Option<f64>,
    ) -> RgbImage {
        let size = (image.width(), image.height());
        let (picture, factor) = self.sized(image);
        let style = Style::of(&picture);
        let mut canvas = Canvas::new(picture);
        let mut places = Places::default();
        let objects = self.shapes(&mut canvas, prediction, size, factor, style);
        if let Some(score) = ood_score {
            draw_score(&mut canvas, &mut places, score, style);
        }
        if self.labels {
            self.whole_image_labels(&mut canvas, &mut places, prediction, size, style);
            for (annotation, area) in objects {
                self.object_label(&mut canvas, &mut places, annotation, area, style);
            }
        }
        canvas.into_image()
    }

    /// Lays a saliency map over an image and names its label.
    ///
    /// The map is scaled to the image; a map whose data do not fit its size is not drawn.
    pub fn draw_saliency(&self, image: &RgbImage, map: &SaliencyMap) -> RgbImage {
        let (mut picture, _) = self.sized(Cow::Borrowed(image));
        heat::overlay(&mut picture, map, self.heat);
        let style = Style::of(&picture);
        let mut canvas = Canvas::new(picture);
        if self.labels {
            let tag = Tag::plain(&map.label_name, style, canvas.area().width - 2 * style.pad);
            tag.draw(&mut canvas, style.pad, style.pad);
        }
        canvas.into_image()
    }

    /// The picture to draw on, and how many times larger than the image it is.
    fn sized(&self, image: Cow<'_, RgbImage>) -> (RgbImage, f64) {
        let longer = image.width().max(image.height());
        if self.shrink_to != 0 && longer > self.shrink_to {
            let side = shrunk_side(longer, self.shrink_to);
            return (thumbnail(&image, side), f64::from(side) / f64::from(longer));
        }
        let factor = self.enlarge_to.div_ceil(longer).max(1);
        (enlarge(image, factor), f64::from(factor))
    }

    /// Draws all shapes before any text, so that no line crosses a name.
    fn shapes<'a>(
        &self,
        canvas: &mut Canvas,
        prediction: &'a Prediction,
        (width, height): (u32, u32),
        factor: f64,
        style: Style,
    ) -> Vec<(&'a Annotation, Area)> {
        let mut objects = Vec::new();
        for annotation in &prediction.annotations {
            if annotation.shape.is_whole_image(width, height) {
                continue;
            }
            let drawn = shape::enlarged(&annotation.shape, factor);
            let color = annotation.labels.first().map_or([255; 3], |l| l.color.rgb);
            shape::draw(canvas, &drawn, color, self.fill, style);
            objects.push((annotation, shape::bounds(&drawn, style)));
        }
        objects
    }

    fn whole_image_labels(
        &self,
        canvas: &mut Canvas,
        places: &mut Places,
        prediction: &Prediction,
        (width, height): (u32, u32),
        style: Style,
    ) {
        let mut top = style.pad;
        let whole = |a: &&Annotation| a.shape.is_whole_image(width, height);
        for annotation in prediction.annotations.iter().filter(whole) {
            let space = canvas.area().width - 2 * style.pad;
            let tag = Tag::of(&annotation.labels, self.probabilities, style, space);
            let place = places.take(tag.size(), &[(style.pad, top)], canvas.area());
            tag.draw(canvas, place.0, place.1);
            top += tag.size().1;
        }
    }

    fn object_label(
        &self,
        canvas: &mut Canvas,
        places: &mut Places,
        annotation: &Annotation,
        area: Area,
        style: Style,
    ) {
        let tag = Tag::of(
            &annotation.labels,
            self.probabilities,
            style,
            canvas.area().width,
        );
        if tag.is_empty() {
            return;
        }
        let outside = area.grown(style.line / 2 + style.seam);
        let place = places.take(tag.size(), &wishes(outside, tag.size()), canvas.area());
        tag.draw(canvas, place.0, place.1);
    }
}

/// The longer side of a picture that is shrunk: a whole part of it if one is about as long as
/// allowed.
fn shrunk_side(longer: u32, allowed: u32) -> u32 {
    let whole_part = longer / longer.div_ceil(allowed);
    if whole_part >= allowed - allowed / 4 {
        whole_part
    } else {
        allowed
    }
}

/// Writes the score with a bar below it whose length and colour show it, from 0 to 1.
fn draw_score(canvas: &mut Canvas, places: &mut Places, score: f64, style: Style) {
    let tag = Tag::plain(&format!("OOD {score:.3}"), style, canvas.area().width);
    let (width, height) = tag.size();
    let bar = (style.line * 2).max(3);
    let bottom = canvas.area().height - style.pad - bar;
    let wish = (style.pad, bottom - height);
    let (left, top) = places.take((width, height + bar), &[wish], canvas.area());
    tag.draw(canvas, left, top);
    let part = if score.is_nan() {
        0.0
    } else {
        score.clamp(0.0, 1.0)
    };
    let ground = Area::new(left, top + height, width, bar);
    let filled = (f64::from(width) * part).round() as i32;
    canvas.fill_area(ground, Color::opaque([24; 3]));
    let level = (part * 255.0).round() as u8;
    canvas.fill_area(
        Area {
            width: filled,
            ..ground
        },
        Color::opaque(heat::color(level)),
    );
}

/// Repeats every pixel `factor` times in both directions.
fn enlarge(image: Cow<'_, RgbImage>, factor: u32) -> RgbImage {
    if factor <= 1 {
        return image.into_owned();
    }
    let stride = image.width() as usize * 3;
    let factor = factor as usize;
    let mut data = Vec::with_capacity(image.data().len() * factor * factor);
    for row in image.data().chunks_exact(stride) {
        let start = data.len();
        for pixel in row.chunks_exact(3) {
            (0..factor).for_each(|_| data.extend_from_slice(pixel));
        }
        let end = data.len();
        (1..factor).for_each(|_| data.extend_from_within(start..end));
    }
    let side = |pixels: u32| pixels * factor as u32;
    // The buffer was made for this size, so the fall-back is not reached.
    RgbImage::new(side(image.width()), side(image.height()), data)
        .unwrap_or_else(|_| image.into_owned())
}
