use straylight_core::{Label, SaliencyMap};
use straylight_image::resize::bicubic_cv_gray;

/// Enlarges one grey map to the size of the image as the Python SDK does (`INTER_CUBIC`).
///
/// Sizes are width first; `None` when the map does not have the size that it claims.
pub(crate) fn enlarged(
    label: &Label,
    levels: &[u8],
    size: (u32, u32),
    image: (u32, u32),
) -> Option<SaliencyMap> {
    let data = bicubic_cv_gray(levels, size, image)?;
    Some(SaliencyMap {
        label_id: label.id.clone(),
        label_name: label.name.clone(),
        width: image.0,
        height: image.1,
        data,
    })
}
