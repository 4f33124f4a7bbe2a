use maud::{Markup, html};
use straylight_core::{Project, Shape};
use straylight_store::{AnnotationScene, ImageRecord, StoredAnnotation};

use crate::api::label_names;

/// The shapes of a scene over an image, in the colours of their labels.
///
/// Labels of the whole image are left out: the caption names them.
pub(super) fn overlay(project: &Project, image: &ImageRecord, scene: &AnnotationScene) -> Markup {
    let labels = label_names(project);
    let drawn = scene
        .annotations
        .iter()
        .filter(|a| !a.shape.is_whole_image(image.width, image.height));
    let color = |annotation: &StoredAnnotation| {
        let label = annotation
            .labels
            .first()
            .and_then(|l| labels.get(l.id.as_str()));
        let [r, g, b] = label.map_or([255, 255, 255], |l| l.color.rgb);
        format!("#{r:02x}{g:02x}{b:02x}")
    };
    let name = |annotation: &StoredAnnotation| {
        let label = annotation.labels.first();
        label.map(|l| format!("{} {:.0} %", l.name, l.probability * 100.0))
    };
    html! {
        svg.overlay viewBox={ "0 0 " (image.width) " " (image.height) } aria-hidden="true" {
            @for annotation in drawn {
                g fill="none" stroke=(color(annotation)) stroke-width="2" {
                    (shape(&annotation.shape))
                    @if let Some(name) = name(annotation) { title { (name) } }
                }
            }
        }
    }
}

fn shape(shape: &Shape) -> Markup {
    let effect = "non-scaling-stroke";
    match shape {
        Shape::Rectangle {
            x,
            y,
            width,
            height,
        } => html! {
            rect x=(x) y=(y) width=(width) height=(height) vector-effect=(effect) {}
        },
        Shape::Ellipse {
            x,
            y,
            width,
            height,
        } => html! {
            ellipse cx=(x + width / 2.0) cy=(y + height / 2.0) rx=(width / 2.0) ry=(height / 2.0) vector-effect=(effect) {}
        },
        Shape::RotatedRectangle {
            x,
            y,
            width,
            height,
            angle,
        } => html! {
            rect x=(x - width / 2.0) y=(y - height / 2.0) width=(width) height=(height)
                transform={ "rotate(" (angle) " " (x) " " (y) ")" } vector-effect=(effect) {}
        },
        Shape::Polygon { points } => {
            let points: Vec<String> = points.iter().map(|p| format!("{},{}", p.x, p.y)).collect();
            html! { polygon points=(points.join(" ")) vector-effect=(effect) {} }
        }
        Shape::Keypoint { x, y, is_visible } => html! {
            circle cx=(x) cy=(y) r="3" vector-effect=(effect) stroke-dasharray=[(!is_visible).then_some("2")] {}
        },
    }
}
