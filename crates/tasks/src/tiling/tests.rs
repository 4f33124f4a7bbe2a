use std::collections::BTreeMap;

use proptest::prelude::*;
use straylight_core::{Shape, TaskType};

use super::*;
use crate::testing::label;
use crate::{OutputTensor, ResizeType, TaskConfig, TensorData, post_processor};

fn tiling(tile_size: u32, tiles_overlap: f64) -> TilingConfig {
    TilingConfig {
        tile_size,
        tiles_overlap,
        max_pred_number: 10,
        iou_threshold: 0.45,
        with_full_image: true,
    }
}

#[test]
fn tiles_run_down_the_columns() {
    let tiles = tiling(4, 0.5).tiles(Size::new(5, 4));
    let corners: Vec<[u32; 4]> = tiles
        .iter()
        .map(|tile| [tile.left, tile.top, tile.size.width, tile.size.height])
        .collect();
    assert_eq!(
        corners,
        [
            [0, 0, 5, 4],
            [0, 0, 4, 4],
            [0, 2, 4, 2],
            [2, 0, 3, 4],
            [2, 2, 3, 2],
            [4, 0, 1, 4],
            [4, 2, 1, 2],
        ]
    );
}

#[test]
fn the_first_tile_is_always_worth_it() {
    let tiling = tiling(4, 0.5);
    assert!(tiling.is_worth_it(0, 0.0) && tiling.is_worth_it(1, 0.36));
    assert!(!tiling.is_worth_it(1, 0.35));
}

/// Sees one object: a box of 10 x 10 at (45, 5) of the image.
struct OneObject;

impl TileRunner for OneObject {
    type Error = TaskError;

    fn run(
        &mut self,
        tile: Tile,
        take: &mut dyn FnMut(&Outputs<'_>, &Geometry) -> Result<(), TaskError>,
    ) -> Result<(), TaskError> {
        let (left, top) = (tile.left as f32, tile.top as f32);
        let right = (55.0 - left).min(tile.size.width as f32);
        let score = if tile.size.width == 100 { 0.9 } else { 0.8 };
        let row = [(45.0 - left).max(0.0), 5.0 - top, right, 15.0 - top, score];
        let count = usize::from(right > 0.0 && top < 5.0);
        let features = [left];
        let shape = [1, count, 5];
        let outputs = Outputs::new(vec![
            OutputTensor {
                name: "boxes",
                shape: &shape,
                data: TensorData::F32(&row[..count * 5]),
            },
            OutputTensor {
                name: "feature_vector",
                shape: &[1, 1],
                data: TensorData::F32(&features),
            },
        ]);
        let geometry = Geometry {
            image: tile.size,
            network: tile.size,
            resize: ResizeType::Standard,
        };
        take(&outputs?, &geometry)
    }
}

#[test]
fn an_object_seen_by_several_tiles_is_there_once() {
    let config = TaskConfig::from_model_info(&BTreeMap::new()).unwrap();
    let post = post_processor(TaskType::Detection, &config, &[label("1", "cat")]).unwrap();
    let tiling = tiling(50, 0.0);
    let image = Size::new(100, 50);
    let prediction = predict_tiled(post.as_ref(), &tiling, image, &mut OneObject).unwrap();
    let shapes: Vec<&Shape> = prediction
        .annotations
        .iter()
        .map(|item| &item.shape)
        .collect();
    // Each half overlaps the whole by 0.5, which is above the threshold of 0.45.
    assert_eq!(
        shapes,
        [&Shape::Rectangle {
            x: 45.0,
            y: 5.0,
            width: 10.0,
            height: 10.0
        }]
    );
    let mean = (0.0 + 0.0 + 50.0) / 3.0;
    assert_eq!(
        prediction.activations.features.as_deref(),
        Some(&[mean][..])
    );
}

proptest! {
    #[test]
    fn tiles_cover_every_pixel_and_lie_in_the_image(
        width in 1_u32..80, height in 1_u32..80, side in 1_u32..40, overlap in 0.0_f64..0.9
    ) {
        prop_assume!(f64::from(side) * (1.0 - overlap) >= 1.0);
        let mut tiling = tiling(side, overlap);
        tiling.with_full_image = false;
        let mut seen = vec![false; (width * height) as usize];
        for tile in tiling.tiles(Size::new(width, height)) {
            prop_assert!(tile.left + tile.size.width <= width);
            prop_assert!(tile.top + tile.size.height <= height);
            for y in tile.top..tile.top + tile.size.height {
                for x in tile.left..tile.left + tile.size.width {
                    seen[(y * width + x) as usize] = true;
                }
            }
        }
        prop_assert!(seen.into_iter().all(|seen| seen));
    }
}
