//! Saliency maps of the model, brought to the size of the image.

use straylight_core::{Label, SaliencyMap};
use straylight_image::resize::bicubic_cv_gray;

use crate::{OutputTensor, Outputs, SALIENCY_MAP, Size, TaskError};

/// The classes' maps of the output `saliency_map`, each enlarged bicubically as the SDK does.
///
/// `channel(i)` is the place of class `i`'s map in the output. Empty labels have no map.
pub(crate) fn enlarged(
    outputs: &Outputs<'_>,
    labels: &[Label],
    image: Size,
    channel: impl Fn(usize) -> Option<usize>,
) -> Result<Vec<SaliencyMap>, TaskError> {
    let Some(tensor) = outputs.named(SALIENCY_MAP) else {
        return Ok(Vec::new());
    };
    let maps = ClassMaps::new(tensor)?;
    let classes = labels
        .iter()
        .enumerate()
        .filter(|(_, label)| !label.is_empty);
    classes
        .map(|(class, label)| {
            let levels = channel(class).and_then(|place| maps.enlarge(place, image));
            let levels = levels.ok_or_else(|| {
                tensor.unfit(format!(
                    "it has no map for class {class} (`{}`)",
                    label.name
                ))
            })?;
            Ok(of_label(label, image, levels))
        })
        .collect()
}

/// A map of the size of the image for one label.
pub(crate) fn of_label(label: &Label, image: Size, data: Vec<u8>) -> SaliencyMap {
    SaliencyMap {
        label_id: label.id.clone(),
        label_name: label.name.clone(),
        width: image.width,
        height: image.height,
        data,
    }
}

/// The output `saliency_map`: classes x height x width grey levels.
struct ClassMaps {
    size: Size,
    levels: Vec<u8>,
}

impl ClassMaps {
    fn new(tensor: &OutputTensor<'_>) -> Result<Self, TaskError> {
        let [_, height, width] = *tensor.core_shape(3) else {
            return Err(tensor.unfit("wanted 1 x classes x height x width"));
        };
        let (Ok(height), Ok(width)) = (u32::try_from(height), u32::try_from(width)) else {
            return Err(tensor.unfit("the maps are too large"));
        };
        // `as` rounds towards zero and saturates; NaN becomes 0.
        let levels = tensor.data.to_f32();
        let levels = levels.iter().map(|level| level.round_ties_even() as u8);
        Ok(Self {
            size: Size::new(width, height),
            levels: levels.collect(),
        })
    }

    fn enlarge(&self, place: usize, image: Size) -> Option<Vec<u8>> {
        let area = self.size.width as usize * self.size.height as usize;
        let begin = place.checked_mul(area)?;
        let map = self.levels.get(begin..begin.checked_add(area)?)?;
        let (from, to) = (self.size, image);
        bicubic_cv_gray(map, (from.width, from.height), (to.width, to.height))
    }
}
