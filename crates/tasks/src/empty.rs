use straylight_core::{Annotation, Label, Prediction, Shape};

use crate::Size;
use crate::labels::scored;

/// Gives an image without any object the empty label over its whole area, with probability 0.
///
/// Does nothing if the prediction has annotations or the task has no empty label. The Python
/// SDK does this in `infer` and forgets it in `explain`; here both callers use this function.
pub fn add_empty_label(prediction: &mut Prediction, empty: Option<&Label>, image: Size) {
    if let (Some(label), true) = (empty, prediction.annotations.is_empty()) {
        prediction.annotations.push(Annotation {
            shape: Shape::whole_image(image.width, image.height),
            labels: vec![scored(label, 0.0)],
        });
    }
}
