//! Contact sheets: many images on one picture.

use straylight_core::{Color, ImageSizeError, RgbImage};

use crate::draw::canvas::{Area, Canvas};
use crate::draw::font;
use crate::thumbnail;

const PAPER: [u8; 3] = [250; 3];
const INK: [u8; 3] = [28; 3];
const SHADE: Color = Color::opaque([225; 3]);
const MARGIN: i32 = 20;
const GAP: i32 = 14;
const BORDER: i32 = 5;
const CAPTION_GAP: i32 = 4;
const LEGEND_GAP: i32 = 10;
const TITLE: f32 = 26.0;
const TEXT: f32 = 14.0;

/// One image of a contact sheet, scaled down, with its captions.
#[derive(Debug, Clone)]
pub struct Tile {
    thumbnail: RgbImage,
    captions: Vec<String>,
    border: Color,
}

/// A picture of many images in rows, in the order in which the caller gives them.
///
/// Above the rows stand a title, lines of text and a legend of border colours; below each image
/// its captions, cut to the image's width. The same tiles give the same bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContactSheet {
    /// Heading, in large letters; empty for none.
    pub title: String,
    /// Lines of text below the title.
    pub notes: Vec<String>,
    /// Border colours and what they mean.
    pub legend: Vec<(Color, String)>,
    /// Number of images in a row, at least 1.
    pub columns: u32,
    /// Width of the space for one image in pixels, at least 32; it is three quarters as high.
    pub tile_width: u32,
}

impl Default for ContactSheet {
    /// No heading, six columns of 220 pixels.
    fn default() -> Self {
        Self {
            title: String::new(),
            notes: Vec::new(),
            legend: Vec::new(),
            columns: 6,
            tile_width: 220,
        }
    }
}

impl ContactSheet {
    /// Scales an image down to a tile; the image itself is not kept.
    pub fn tile(&self, image: &RgbImage, captions: Vec<String>, border: Color) -> Tile {
        let (width, height) = (self.tile_width() as u32, self.tile_height() as u32);
        // The side that is too long for its space decides.
        let by_width = u64::from(image.width()) * u64::from(height);
        let by_height = u64::from(image.height()) * u64::from(width);
        let longest = u64::from(image.width().max(image.height()));
        let side = if by_width >= by_height {
            u64::from(width) * longest / u64::from(image.width())
        } else {
            u64::from(height) * longest / u64::from(image.height())
        };
        Tile {
            thumbnail: thumbnail(image, side as u32),
            captions,
            border,
        }
    }

    /// Draws the sheet. Fails only for a sheet without any pixel, which cannot be made.
    pub fn render(&self, tiles: &[Tile]) -> Result<RgbImage, ImageSizeError> {
        let layout = Layout::new(self, tiles);
        let paper = RgbImage::filled(layout.width as u32, layout.height as u32, PAPER)?;
        let mut canvas = Canvas::new(paper);
        self.draw_head(&mut canvas);
        for (index, tile) in tiles.iter().enumerate() {
            let (left, top) = layout.place(index);
            self.draw_tile(&mut canvas, tile, left, top);
        }
        Ok(canvas.into_image())
    }

    fn tile_width(&self) -> i32 {
        self.tile_width.clamp(32, 4096) as i32
    }

    fn tile_height(&self) -> i32 {
        self.tile_width() * 3 / 4
    }

    fn draw_head(&self, canvas: &mut Canvas) {
        let space = canvas.area().width - 2 * MARGIN;
        let mut top = MARGIN;
        if !self.title.is_empty() {
            let title = font::fit(&self.title, TITLE, space);
            font::draw(canvas, &title, TITLE, MARGIN, top, INK);
            top += font::line_height(TITLE);
        }
        for note in &self.notes {
            let note = font::fit(note, TEXT, space);
            font::draw(canvas, &note, TEXT, MARGIN, top, INK);
            top += font::line_height(TEXT);
        }
        if !self.legend.is_empty() {
            self.draw_legend(canvas, top + LEGEND_GAP);
        }
    }

    fn draw_legend(&self, canvas: &mut Canvas, top: i32) {
        let side = font::line_height(TEXT);
        let mut left = MARGIN;
        for (color, meaning) in &self.legend {
            canvas.fill_area(Area::new(left, top, side, side), *color);
            font::draw(canvas, meaning, TEXT, left + side + 6, top, INK);
            left += legend_width(meaning);
        }
    }

    fn draw_tile(&self, canvas: &mut Canvas, tile: &Tile, left: i32, top: i32) {
        let space = Area::new(
            left + BORDER,
            top + BORDER,
            self.tile_width(),
            self.tile_height(),
        );
        canvas.fill_area(space, SHADE);
        canvas.frame(space.grown(BORDER), BORDER, tile.border);
        let (width, height) = (
            tile.thumbnail.width() as i32,
            tile.thumbnail.height() as i32,
        );
        let photo_left = space.left + (space.width - width) / 2;
        let photo_top = space.top + (space.height - height) / 2;
        canvas.place(&tile.thumbnail, photo_left, photo_top);
        let mut line = space.bottom() + BORDER + CAPTION_GAP;
        for caption in &tile.captions {
            let caption = font::fit(caption, TEXT, space.width + 2 * BORDER);
            font::draw(canvas, &caption, TEXT, left, line, INK);
            line += font::line_height(TEXT);
        }
    }
}

fn legend_width(meaning: &str) -> i32 {
    font::line_height(TEXT) + 6 + font::width(meaning, TEXT) + 24
}

/// Sizes and places of everything on a sheet, in pixels.
struct Layout {
    width: i32,
    height: i32,
    head: i32,
    columns: usize,
    cell: (i32, i32),
}

impl Layout {
    fn new(sheet: &ContactSheet, tiles: &[Tile]) -> Self {
        let columns = (sheet.columns.max(1) as usize).min(tiles.len().max(1));
        let rows = tiles.len().div_ceil(columns) as i32;
        let lines = tiles.iter().map(|tile| tile.captions.len()).max();
        let captions = lines.unwrap_or(0) as i32 * font::line_height(TEXT);
        let cell = (
            sheet.tile_width() + 2 * BORDER + GAP,
            sheet.tile_height() + 2 * BORDER + CAPTION_GAP + captions + GAP,
        );
        let head = Self::head(sheet);
        Self {
            width: (columns as i32 * cell.0 - GAP).max(Self::head_width(sheet)) + 2 * MARGIN,
            height: head + rows * cell.1 + MARGIN,
            head,
            columns,
            cell,
        }
    }

    /// Height of everything above the tiles.
    fn head(sheet: &ContactSheet) -> i32 {
        let title = if sheet.title.is_empty() {
            0
        } else {
            font::line_height(TITLE)
        };
        let notes = sheet.notes.len() as i32 * font::line_height(TEXT);
        let legend = if sheet.legend.is_empty() {
            0
        } else {
            LEGEND_GAP + font::line_height(TEXT)
        };
        MARGIN + title + notes + legend + GAP
    }

    /// The head may be wider than a few tiles; beyond a thousand pixels it is cut.
    fn head_width(sheet: &ContactSheet) -> i32 {
        let notes = sheet.notes.iter().map(|note| font::width(note, TEXT));
        let legend = sheet
            .legend
            .iter()
            .map(|(_, meaning)| legend_width(meaning));
        let title = font::width(&sheet.title, TITLE);
        title
            .max(notes.max().unwrap_or(0))
            .max(legend.sum())
            .min(1000)
    }

    /// The upper left corner of a tile's border.
    fn place(&self, index: usize) -> (i32, i32) {
        let (row, column) = ((index / self.columns) as i32, (index % self.columns) as i32);
        (MARGIN + column * self.cell.0, self.head + row * self.cell.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn red() -> Color {
        Color::opaque([255, 0, 0])
    }

    #[test]
    fn tiles_stand_in_the_given_order_with_their_borders() {
        let sheet = ContactSheet {
            columns: 2,
            tile_width: 40,
            ..ContactSheet::default()
        };
        let tile = |level: u8, border| {
            let image = RgbImage::filled(400, 300, [level; 3]).unwrap();
            sheet.tile(&image, vec!["a".into()], border)
        };
        let tiles = [tile(10, red()), tile(20, Color::BLACK), tile(30, red())];
        let picture = sheet.render(&tiles).unwrap();
        let layout = Layout::new(&sheet, &tiles);
        for (index, (level, border)) in [(10, [255, 0, 0]), (20, [0; 3]), (30, [255, 0, 0])]
            .into_iter()
            .enumerate()
        {
            let (left, top) = layout.place(index);
            let at = |by: i32| {
                picture
                    .pixel((left + by) as u32, (top + by) as u32)
                    .unwrap()
            };
            assert_eq!(at(1), border, "border of tile {index}");
            assert_eq!(at(BORDER + 8), [level; 3], "pixels of tile {index}");
        }
    }

    #[test]
    fn any_proportions_fit_their_space() {
        let sheet = ContactSheet {
            tile_width: 40,
            ..ContactSheet::default()
        };
        for (w, h) in [
            (1, 1),
            (1, 3000),
            (3000, 1),
            (41, 30),
            (40, 31),
            (400, 100),
            (100, 400),
        ] {
            let image = RgbImage::filled(w, h, [9; 3]).unwrap();
            let tile = sheet.tile(&image, Vec::new(), red());
            let (width, height) = (tile.thumbnail.width(), tile.thumbnail.height());
            assert!(width <= 40 && height <= 30, "{w} x {h}: {width} x {height}");
        }
    }

    #[test]
    fn a_sheet_without_tiles_has_its_head() {
        let sheet = ContactSheet {
            title: "Nothing strange".into(),
            notes: vec!["0 of 10".into()],
            legend: vec![(red(), "missed".into())],
            columns: 0,
            ..ContactSheet::default()
        };
        let picture = sheet.render(&[]).unwrap();
        assert!(picture.width() > 200 && picture.height() > 60);
        assert!(picture.data().chunks(3).any(|pixel| pixel == [255, 0, 0]));
    }
}
