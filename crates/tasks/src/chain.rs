//! Task chains: what the first task finds is cut out of the image and given to the next.
//!
//! A task that labels whole images adds its labels to the annotation whose region it saw; a
//! task that finds objects adds annotations, moved to the image's coordinates, and these are
//! the regions of the task after it. Regions without a pixel in the image are left out; their
//! annotations keep the labels they have.
//!
//! The SDK finds the annotation by its shape (of two equal boxes the first gets all labels),
//! cuts turned rectangles out at their centre, and fails on regions without pixels.

use straylight_core::{Annotation, Point, Prediction, Shape, TaskType};

use crate::{Size, Tile};

/// A part of the image for the next task, and the annotation that it comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Region {
    /// The pixels to be cut out.
    pub part: Tile,
    /// Index of the annotation among the prediction's.
    pub annotation: usize,
}

/// Runs one task of a chain on a part of the image.
pub trait ChainRunner {
    /// Why a task could not be run.
    type Error;

    /// The prediction of task `task` (0 is the first one) for the pixels of `part`, in
    /// coordinates of the part.
    fn run(&mut self, task: usize, part: Tile) -> Result<Prediction, Self::Error>;
}

/// Runs all tasks of a chain on an image.
///
/// The prediction keeps the first task's activations and saliency maps. The empty label is not
/// added; see [`add_empty_label`](crate::add_empty_label).
pub fn predict_chain<R: ChainRunner>(
    tasks: &[TaskType],
    image: Size,
    runner: &mut R,
) -> Result<Prediction, R::Error> {
    let mut prediction = runner.run(
        0,
        Tile {
            left: 0,
            top: 0,
            size: image,
        },
    )?;
    let mut regions = regions(&prediction.annotations, 0, image);
    for (place, &task) in tasks.iter().enumerate().skip(1) {
        let before = prediction.annotations.len();
        for region in &regions {
            let seen = runner.run(place, region.part)?;
            merge(&mut prediction, region, seen, task);
        }
        if !labels_whole_images(task) {
            let new = prediction.annotations.get(before..).unwrap_or_default();
            regions = self::regions(new, before, image);
        }
    }
    Ok(prediction)
}

/// The regions of a prediction's annotations, the first of which has the index `first`.
pub fn regions(annotations: &[Annotation], first: usize, image: Size) -> Vec<Region> {
    let numbered = annotations.iter().zip(first..);
    numbered
        .filter_map(|(annotation, index)| {
            let part = part_of(&annotation.shape, image)?;
            Some(Region {
                part,
                annotation: index,
            })
        })
        .collect()
}

/// Adds what a task saw in a region: its labels, or its objects.
pub fn merge(prediction: &mut Prediction, region: &Region, seen: Prediction, task: TaskType) {
    if labels_whole_images(task) {
        if let Some(annotation) = prediction.annotations.get_mut(region.annotation) {
            let labels = seen.annotations.into_iter().flat_map(|other| other.labels);
            annotation.labels.extend(labels);
        }
        return;
    }
    let (x, y) = (f64::from(region.part.left), f64::from(region.part.top));
    let moved = seen
        .annotations
        .into_iter()
        .map(|Annotation { shape, labels }| Annotation {
            shape: moved(shape, x, y),
            labels,
        });
    prediction.annotations.extend(moved);
}

/// Whether a task gives labels to whole images instead of finding objects.
pub fn labels_whole_images(task: TaskType) -> bool {
    matches!(
        task,
        TaskType::Classification | TaskType::AnomalyClassification | TaskType::Anomaly
    )
}

fn moved(shape: Shape, dx: f64, dy: f64) -> Shape {
    match shape {
        Shape::Rectangle {
            x,
            y,
            width,
            height,
        } => Shape::Rectangle {
            x: x + dx,
            y: y + dy,
            width,
            height,
        },
        Shape::Ellipse {
            x,
            y,
            width,
            height,
        } => Shape::Ellipse {
            x: x + dx,
            y: y + dy,
            width,
            height,
        },
        Shape::RotatedRectangle {
            x,
            y,
            width,
            height,
            angle,
        } => Shape::RotatedRectangle {
            x: x + dx,
            y: y + dy,
            width,
            height,
            angle,
        },
        Shape::Polygon { points } => {
            let points = points.into_iter().map(|p| Point {
                x: p.x + dx,
                y: p.y + dy,
            });
            Shape::Polygon {
                points: points.collect(),
            }
        }
        Shape::Keypoint { x, y, is_visible } => Shape::Keypoint {
            x: x + dx,
            y: y + dy,
            is_visible,
        },
    }
}

/// The pixels of the image in the upright box around a shape; `None` if there are none.
fn part_of(shape: &Shape, image: Size) -> Option<Tile> {
    let [left, top, right, bottom] = bounds(shape)?;
    let cut = |value: f64, limit: u32| value.clamp(0.0, f64::from(limit)) as u32;
    let (left, right) = (cut(left, image.width), cut(right, image.width));
    let (top, bottom) = (cut(top, image.height), cut(bottom, image.height));
    let size = Size::new(right.checked_sub(left)?, bottom.checked_sub(top)?);
    (size.width > 0 && size.height > 0).then_some(Tile { left, top, size })
}

/// Left, upper, right and lower edge; `None` for a single point.
fn bounds(shape: &Shape) -> Option<[f64; 4]> {
    match shape {
        Shape::Rectangle {
            x,
            y,
            width,
            height,
        }
        | Shape::Ellipse {
            x,
            y,
            width,
            height,
        } => Some([*x, *y, x + width, y + height]),
        Shape::RotatedRectangle {
            x,
            y,
            width,
            height,
            angle,
        } => {
            let (sin, cos) = angle.to_radians().sin_cos();
            let across = f64::midpoint(width * cos.abs(), height * sin.abs());
            let down = f64::midpoint(width * sin.abs(), height * cos.abs());
            Some([x - across, y - down, x + across, y + down])
        }
        Shape::Polygon { points } => {
            let range = |value: fn(&Point) -> f64| {
                let values = || points.iter().map(value);
                (
                    values().fold(f64::INFINITY, f64::min),
                    values().fold(f64::NEG_INFINITY, f64::max),
                )
            };
            let ((left, right), (top, bottom)) = (range(|p| p.x), range(|p| p.y));
            (!points.is_empty()).then_some([left, top, right, bottom])
        }
        Shape::Keypoint { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::labels::scored;
    use crate::testing::label;

    fn rectangle(x: f64, y: f64, width: f64, height: f64) -> Shape {
        Shape::Rectangle {
            x,
            y,
            width,
            height,
        }
    }

    fn annotation(shape: Shape, name: &str) -> Annotation {
        Annotation {
            shape,
            labels: vec![scored(&label(name, name), 0.5)],
        }
    }

    #[test]
    fn regions_are_cut_off_at_the_image() {
        struct Case(Shape, Option<[u32; 4]>);
        let point = |x: f64, y: f64| Point { x, y };
        let turned = Shape::RotatedRectangle {
            x: 10.,
            y: 10.,
            width: 8.,
            height: 4.,
            angle: 90.,
        };
        for Case(shape, expected) in [
            Case(rectangle(-3.0, 2.0, 8.0, 30.0), Some([0, 2, 5, 18])),
            Case(rectangle(25.0, 2.0, 8.0, 30.0), None),
            Case(rectangle(5.0, 5.0, 0.0, 3.0), None),
            Case(turned, Some([8, 6, 4, 8])),
            Case(
                Shape::Polygon {
                    points: vec![point(1., 2.), point(7., 9.)],
                },
                Some([1, 2, 6, 7]),
            ),
            Case(Shape::Polygon { points: vec![] }, None),
            Case(
                Shape::Keypoint {
                    x: 1.0,
                    y: 1.0,
                    is_visible: true,
                },
                None,
            ),
        ] {
            let part = part_of(&shape, Size::new(20, 20));
            let part = part.map(|p| [p.left, p.top, p.size.width, p.size.height]);
            assert_eq!(part, expected, "{shape:?}");
        }
    }

    /// Finds two equal boxes and one outside the image, then names each box by a count.
    struct Scripted(u32);

    impl ChainRunner for Scripted {
        type Error = ();

        fn run(&mut self, task: usize, part: Tile) -> Result<Prediction, ()> {
            let annotations = if task == 0 {
                let places = [(4.0, 4.0), (4.0, 4.0), (90.0, 4.0)];
                places
                    .map(|(x, y)| annotation(rectangle(x, y, 6.0, 5.0), "box"))
                    .to_vec()
            } else {
                self.0 += 1;
                let whole = Shape::whole_image(part.size.width, part.size.height);
                vec![annotation(whole, &format!("class {}", self.0))]
            };
            Ok(Prediction {
                annotations,
                ..Prediction::default()
            })
        }
    }

    #[test]
    fn each_of_two_equal_boxes_gets_its_own_label() {
        let tasks = [TaskType::Detection, TaskType::Classification];
        let prediction = predict_chain(&tasks, Size::new(20, 20), &mut Scripted(0)).unwrap();
        let labels: Vec<Vec<&str>> = prediction
            .annotations
            .iter()
            .map(|item| {
                item.labels
                    .iter()
                    .map(|label| label.name.as_str())
                    .collect()
            })
            .collect();
        assert_eq!(
            labels,
            [vec!["box", "class 1"], vec!["box", "class 2"], vec!["box"]]
        );
    }

    #[test]
    fn objects_in_regions_move_to_the_image() {
        let tasks = [TaskType::Detection, TaskType::Detection];
        let prediction = predict_chain(&tasks, Size::new(20, 20), &mut Scripted(0)).unwrap();
        assert_eq!(prediction.annotations.len(), 5);
        assert_eq!(
            prediction.annotations[3].shape,
            rectangle(4.0, 4.0, 6.0, 5.0)
        );
    }
}
