//! The contact sheet: every held-out photo, sorted by score.

use std::path::Path;

use straylight_core::Color;
use straylight_files::write_atomically;
use straylight_image::{ContactSheet, Tile, encode_png};

use super::DemoError;
use super::run::Met;

const FOUND: Color = Color::opaque([34, 139, 84]);
const FALSE_ALARM: Color = Color::opaque([214, 120, 0]);
const MISS: Color = Color::opaque([196, 40, 40]);
const KNOWN: Color = Color::opaque([190, 190, 190]);

/// Writes the photos in the order in which they come, each with label, probability and score.
pub(super) fn write(path: &Path, met: &[Met], threshold: f64) -> Result<(), DemoError> {
    let sheet = ContactSheet {
        title: "What the model met, the strangest first".to_owned(),
        notes: vec![format!(
            "Each photo has the label that the model gave it, its probability, and the OOD score \
             (0 to 1, higher is stranger). Photos with a score of at least {threshold:.2} are \
             collected."
        )],
        legend: vec![
            (FOUND, "strange and collected".to_owned()),
            (FALSE_ALARM, "known but collected (false alarm)".to_owned()),
            (MISS, "strange but not collected (miss)".to_owned()),
            (KNOWN, "known and left alone".to_owned()),
        ],
        columns: 9,
        tile_width: 170,
    };
    let tiles: Vec<Tile> = met.iter().map(|photo| tile(&sheet, photo)).collect();
    let png = encode_png(&sheet.render(&tiles)?)?;
    Ok(write_atomically(path, &png)?)
}

fn tile(sheet: &ContactSheet, photo: &Met) -> Tile {
    let label = match photo.prediction.top_label() {
        Some(label) => format!("{} {:.0} %", label.name, label.probability * 100.0),
        None => "no label".to_owned(),
    };
    let captions = vec![
        format!("OOD {:.2}   {label}", photo.score),
        photo.name.clone(),
    ];
    sheet.tile(photo.frame.image(), captions, border(photo))
}

fn border(photo: &Met) -> Color {
    match (photo.is_strange, photo.is_collected) {
        (true, true) => FOUND,
        (false, true) => FALSE_ALARM,
        (true, false) => MISS,
        (false, false) => KNOWN,
    }
}
