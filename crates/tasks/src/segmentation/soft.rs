use crate::numeric::argmax;
use crate::raster::{Mask, Pixel, blur, nearest};
use crate::{OutputTensor, Size, TaskError};

/// Scores of background and classes for each pixel, plane by plane, or the classes themselves.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Soft {
    /// Planes of scores; 1 if the output holds classes.
    planes: usize,
    height: usize,
    width: usize,
    values: Vec<f32>,
}

impl Soft {
    /// Reads 1 x planes x height x width, or one plane without its extent.
    pub(crate) fn read(tensor: &OutputTensor<'_>) -> Result<Self, TaskError> {
        let (planes, height, width) = match *tensor.shape {
            [1, height, width] | [height, width] => (1, height, width),
            [1, planes, height, width] | [planes, height, width] => (planes, height, width),
            _ => return Err(tensor.unfit("wanted 1 x classes x height x width")),
        };
        if planes * height * width == 0 || planes > usize::from(u16::MAX) {
            return Err(tensor.unfit("wanted at least one pixel and at most 65,535 classes"));
        }
        let values = tensor.data.to_f32();
        tensor.finite(&values)?;
        Ok(Self {
            planes,
            height,
            width,
            values: values.into_owned(),
        })
    }

    /// From merged scores; `values` holds `planes` planes of the size.
    pub(crate) fn from_planes(planes: usize, size: Size, values: Vec<f32>) -> Self {
        let (width, height) = (size.width as usize, size.height as usize);
        Self {
            planes,
            height,
            width,
            values,
        }
    }

    pub(crate) fn planes(&self) -> usize {
        self.planes
    }

    pub(crate) fn area(&self) -> usize {
        self.height * self.width
    }

    pub(crate) fn plane(&self, plane: usize) -> &[f32] {
        let begin = plane * self.area();
        self.values.get(begin..begin + self.area()).unwrap_or(&[])
    }

    pub(crate) fn size(&self) -> Size {
        Size::new(self.width as u32, self.height as u32)
    }

    /// The class of each pixel: the best of the smoothed scores, the first of equals.
    pub(crate) fn classes(&self, window: Option<u32>, threshold: f32) -> Vec<u16> {
        if self.planes == 1 {
            return self.values.iter().map(|&class| class as u16).collect();
        }
        let smooth = |plane: usize| {
            let scores = self.plane(plane);
            let Some(side) = window else {
                return scores.to_vec();
            };
            let mut scores = blur(scores, self.width, side);
            for score in scores.iter_mut().filter(|score| **score < threshold) {
                *score = 0.0;
            }
            scores
        };
        let planes: Vec<Vec<f32>> = (0..self.planes).map(smooth).collect();
        let best = |pixel: usize| {
            let scores = planes
                .iter()
                .map(|plane| plane.get(pixel).copied().unwrap_or(0.0));
            argmax(scores).map_or(0, |(class, _)| class as u16)
        };
        (0..self.area()).map(best).collect()
    }

    /// All scores as grey levels: the least of all planes becomes 0, the greatest 255.
    pub(crate) fn levels(&self) -> Vec<u8> {
        let least = self.values.iter().copied().fold(f32::INFINITY, f32::min);
        let greatest = self
            .values
            .iter()
            .copied()
            .fold(f32::NEG_INFINITY, f32::max);
        let factor = (255.0 / (f64::from(greatest - least) + 1e-12)) as f32;
        let level = |&score: &f32| (factor * (score - least)).round_ties_even() as u8;
        self.values.iter().map(level).collect()
    }

    /// One plane of grey levels at the size of the image, each pixel the nearest one's.
    pub(crate) fn enlarge_plane(&self, levels: &[u8], plane: usize, image: Size) -> Vec<u8> {
        let columns = nearest(self.width, image.width);
        let rows = nearest(self.height, image.height);
        let begin = plane * self.area();
        let level = |row: usize, column: usize| {
            levels
                .get(begin + row * self.width + column)
                .copied()
                .unwrap_or(0)
        };
        let pixels = rows
            .iter()
            .flat_map(|&row| columns.iter().map(move |&column| (row, column)));
        pixels.map(|(row, column)| level(row, column)).collect()
    }
}

/// Classes at the size of the image, with the scores from which they come.
pub(crate) struct Enlarged<'a> {
    soft: &'a Soft,
    columns: Vec<usize>,
    rows: Vec<usize>,
    classes: Vec<u16>,
}

impl<'a> Enlarged<'a> {
    /// Enlarges a map of classes to the image; each pixel takes the nearest one's.
    pub(crate) fn new(soft: &'a Soft, classes: &[u16], image: Size) -> Self {
        let columns = nearest(soft.width, image.width);
        let rows = nearest(soft.height, image.height);
        let mut enlarged = Vec::with_capacity(columns.len() * rows.len());
        for &row in &rows {
            let begin = row * soft.width;
            let line = classes.get(begin..begin + soft.width).unwrap_or(&[]);
            enlarged.extend(columns.iter().map(|&x| line.get(x).copied().unwrap_or(0)));
        }
        Self {
            soft,
            columns,
            rows,
            classes: enlarged,
        }
    }

    /// The classes that some pixel has, without background, in order.
    pub(crate) fn classes_present(&self) -> Vec<u16> {
        let mut present: Vec<u16> = Vec::new();
        let mut last = 0;
        for &class in &self.classes {
            if class != last && class != 0 && !present.contains(&class) {
                present.push(class);
            }
            last = class;
        }
        present.sort_unstable();
        present
    }

    /// Where a class is.
    pub(crate) fn mask(&self, class: u16) -> Mask {
        Mask::of(&self.classes, self.columns.len(), |other| other == class)
    }

    /// The score of a class at a pixel of the image; 1 without scores.
    pub(crate) fn score(&self, class: u16, [x, y]: Pixel) -> f32 {
        if self.soft.planes == 1 {
            return 1.0;
        }
        let column = self.columns.get(x as usize).copied().unwrap_or(0);
        let row = self.rows.get(y as usize).copied().unwrap_or(0);
        let plane = self.soft.plane(usize::from(class));
        plane
            .get(row * self.soft.width + column)
            .copied()
            .unwrap_or(0.0)
    }
}
