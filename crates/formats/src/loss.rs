//! What a target format cannot hold, image by image and in sum.

use std::fmt;

use serde::Serialize;

use crate::{AnnotatedImage, WriteReport};

/// Something on an image that the target could not hold as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Loss {
    /// Subset and name of the image, joined by `/`; empty if it concerns the whole set.
    pub image: String,
    /// What could not be held.
    pub what: Feature,
    /// What became of it.
    pub became: Became,
    /// How often on this image.
    pub count: usize,
}

macro_rules! named {
    ($(#[$about:meta])* $type:ident { $($(#[$doc:meta])* $name:ident = $text:literal,)* }) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
        #[serde(rename_all = "snake_case")]
        #[non_exhaustive]
        pub enum $type { $($(#[$doc])* $name,)* }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self { $(Self::$name => $text,)* })
            }
        }
    };
}

named! {
    /// What formats hold, or do not.
    Feature {
        /// Labels of the whole image.
        ImageLabel = "labels of the whole image",
        /// Upright boxes.
        Box = "boxes",
        /// Boxes turned about their centre.
        RotatedBox = "turned boxes",
        /// Ellipses.
        Ellipse = "ellipses",
        /// Polygons of one part.
        Polygon = "polygons",
        /// Sets of pixels.
        Mask = "masks",
        /// Holes of masks.
        Hole = "holes of masks",
        /// Objects of several parts.
        Parts = "objects of several parts",
        /// Pixels that belong to several objects.
        Overlap = "overlaps of masks",
        /// Open lines.
        Polyline = "lines",
        /// Single key points.
        Keypoint = "key points",
        /// Several key points of one object.
        Skeleton = "objects with key points",
        /// Whether a key point can be seen.
        Visibility = "marks of hidden key points",
        /// Objects of more than one label.
        SeveralLabels = "objects of several labels",
        /// Boxes that differ from those around their shapes.
        StatedBox = "boxes that differ from their shapes",
        /// Marks for crowds.
        Crowd = "marks `crowd`",
        /// Objects that are crowds; a training would take each for one thing.
        CrowdObject = "crowds",
        /// Objects whose box has no area.
        NoArea = "objects without area",
        /// Marks for difficult objects.
        Difficult = "marks `difficult`",
        /// Marks for cut objects.
        Truncated = "marks `truncated`",
        /// Marks for hidden objects.
        Occluded = "marks `occluded`",
        /// Attributes of objects.
        Attribute = "attributes of objects",
        /// Attributes of images.
        ImageAttribute = "attributes of images",
        /// Groups of objects.
        Group = "groups of objects",
        /// Which object lies above another.
        ZOrder = "orders of depth",
        /// Identifiers of images, labels or objects.
        Id = "identifiers",
        /// Numbers of labels.
        LabelId = "numbers of labels",
        /// Names of labels.
        LabelName = "names of labels",
        /// Labels that no image has.
        UnusedLabel = "labels without images",
        /// Colours of labels.
        Color = "colours of labels",
        /// Labels above labels.
        Parent = "parents of labels",
        /// Key points and lines of labels.
        LabelSkeleton = "skeletons of labels",
        /// Parts of the set.
        Subset = "subsets",
        /// Whether somebody looked at an image without objects.
        Unannotated = "images that nobody annotated",
        /// Coordinates beyond the image.
        OutOfImage = "shapes beyond the image",
    }
}

named! {
    /// What became of something that a format could not hold.
    Became {
        /// It is not in the output.
        LeftOut = "were left out",
        /// Its box is there instead.
        Box = "became boxes",
        /// A mask is there instead.
        Mask = "became masks",
        /// A polygon is there instead.
        Polygon = "became polygons",
        /// They belong to the last object alone.
        LastObject = "went to the last object",
        /// It was filled.
        Filled = "were filled",
        /// Several objects are there instead.
        Objects = "became several objects",
        /// Its parts are there without the mark that they belong together.
        Ungrouped = "lost what joins them",
        /// A label of the whole image is there instead.
        ImageLabel = "became labels of the whole image",
        /// The part within the image is there.
        Clipped = "were clipped",
        /// It has a new name or number.
        Renamed = "were given new ones",
        /// They are the key points of one object now.
        Skeleton = "became those of one object",
        /// Single key points are there instead.
        Keypoints = "became single key points",
        /// The images stand for two parts, for trainers demand train and val.
        UsedTwice = "stand for train and val both",
        /// It looks like an image on which somebody found nothing.
        Empty = "look as if nothing were on them",
    }
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.image.is_empty() {
            write!(f, "{}: ", self.image)?;
        }
        write!(f, "{} {} ({})", self.what, self.became, self.count)
    }
}

/// Adds up the losses of one image in the report.
pub(crate) struct Losses<'a> {
    image: String,
    from: usize,
    report: &'a mut Vec<Loss>,
}

impl<'a> Losses<'a> {
    /// Losses of one image.
    pub(crate) fn of(image: &AnnotatedImage, report: &'a mut WriteReport) -> Self {
        Self::into(image, &mut report.losses)
    }

    pub(crate) fn into(image: &AnnotatedImage, report: &'a mut Vec<Loss>) -> Self {
        let name = match &image.subset {
            Some(subset) => format!("{subset}/{}", image.name),
            None => image.name.clone(),
        };
        let from = report.len();
        Self {
            image: name,
            from,
            report,
        }
    }

    /// Losses of the whole set.
    pub(crate) fn of_set(report: &'a mut WriteReport) -> Self {
        let from = report.losses.len();
        Self {
            image: String::new(),
            from,
            report: &mut report.losses,
        }
    }

    pub(crate) fn add(&mut self, what: Feature, became: Became) {
        self.add_some(what, became, 1);
    }

    pub(crate) fn add_some(&mut self, what: Feature, became: Became, count: usize) {
        let same = |loss: &&mut Loss| (loss.what, loss.became) == (what, became);
        match self.report[self.from..].iter_mut().find(same) {
            _ if count == 0 => {}
            Some(known) => known.count += count,
            None => self.report.push(Loss {
                image: self.image.clone(),
                what,
                became,
                count,
            }),
        }
    }
}

/// The losses of all images in sum, a line for each kind, in order of appearance.
pub(crate) fn summary(losses: &[Loss]) -> Vec<String> {
    let mut kinds: Vec<(Feature, Became)> = Vec::new();
    for loss in losses {
        if !kinds.contains(&(loss.what, loss.became)) {
            kinds.push((loss.what, loss.became));
        }
    }
    kinds.into_iter().map(|kind| line(losses, kind)).collect()
}

fn line(losses: &[Loss], (what, became): (Feature, Became)) -> String {
    let of_kind: Vec<&Loss> = losses
        .iter()
        .filter(|l| (l.what, l.became) == (what, became))
        .collect();
    let count: usize = of_kind.iter().map(|loss| loss.count).sum();
    match of_kind.first() {
        Some(first) if !first.image.is_empty() => {
            let images = of_kind.len();
            format!(
                "{count} {what} {became} (on {images} images, first `{}`)",
                first.image
            )
        }
        _ => format!("{count} {what} {became}"),
    }
}
