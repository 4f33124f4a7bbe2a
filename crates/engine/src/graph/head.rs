use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use super::{IrModel, Layer};
use crate::EngineError;

/// Layers that hand their input on unchanged, as far as a vector of scores is concerned.
const TRANSPARENT: [&str; 6] = [
    "Convert",
    "Reshape",
    "Squeeze",
    "Unsqueeze",
    "Result",
    "Identity",
];

/// The last linear layer of a classifier: `logits = weights * features + bias`.
#[derive(Debug, Clone, PartialEq)]
pub struct HeadWeights {
    /// Number of classes C.
    pub classes: usize,
    /// Length of the feature vector D.
    pub features: usize,
    /// C rows of D values.
    pub weights: Vec<f32>,
    /// C values; zeros when the layer has none.
    pub bias: Vec<f32>,
    /// Name of the layer that produces the feature vector.
    pub source: String,
}

impl HeadWeights {
    /// The logits of a feature vector of length D; `None` when its length differs.
    ///
    /// Whoever relies on the weights should first check them with this on a real image: a
    /// graph may scale its logits in ways that this module does not see.
    pub fn logits(&self, features: &[f32]) -> Option<Vec<f32>> {
        if features.len() != self.features {
            return None;
        }
        let rows = self
            .weights
            .chunks_exact(self.features.max(1))
            .zip(&self.bias);
        let dot = |row: &[f32]| row.iter().zip(features).map(|(w, x)| w * x).sum::<f32>();
        Some(rows.map(|(row, bias)| dot(row) + bias).collect())
    }
}

impl IrModel {
    /// Finds the linear layer behind the output tensor `output` and reads its weights.
    ///
    /// Gives `None` when the graph ends otherwise (a softmax, a convolution, weights that are
    /// computed or quantised in the graph).
    ///
    /// # Errors
    ///
    /// [`EngineError::Io`] when the weights file cannot be read, [`EngineError::Model`] when it
    /// is shorter than the graph says.
    pub fn head_weights(&self, output: &str) -> Result<Option<HeadWeights>, EngineError> {
        let Some(found) = self.find_head(output) else {
            return Ok(None);
        };
        let bin = self.path().with_extension("bin");
        let weights = read_constant(&bin, found.weights)?;
        let (Some(weights), Some(shape)) = (weights, shape_of(found.weights)) else {
            return Ok(None);
        };
        let &[rows, columns] = shape.as_slice() else {
            return Ok(None);
        };
        let (classes, features, weights) = if found.transposed {
            (rows, columns, weights)
        } else {
            (columns, rows, transpose(&weights, columns))
        };
        let bias = match found.bias {
            Some(bias) => read_constant(&bin, bias)?.unwrap_or_default(),
            None => vec![0.0; classes],
        };
        if bias.len() != classes || weights.len() != classes * features {
            return Ok(None);
        }
        Ok(Some(HeadWeights {
            classes,
            features,
            weights,
            bias,
            source: found.source.name.clone(),
        }))
    }

    /// Walks from an output tensor towards the inputs, through an addition, to a `MatMul`.
    fn find_head(&self, output: &str) -> Option<Head<'_>> {
        let named = |layer: &&Layer| {
            layer
                .outputs
                .iter()
                .any(|port| port.names.iter().any(|name| name == output))
        };
        let mut layer = self.layers().iter().find(named)?;
        let mut bias = None;
        // Heads are a handful of layers; the bound keeps a damaged, circular file from looping.
        for _ in 0..16 {
            match layer.kind.as_str() {
                "MatMul" => return self.mat_mul(layer, bias),
                "Add" if bias.is_none() => {
                    let (first, second) =
                        (self.source(layer.id, 0)?.0, self.source(layer.id, 1)?.0);
                    let constant = |side: &Layer| self.constant(side.id).is_some();
                    let (rest, added) = if constant(second) {
                        (first, second)
                    } else {
                        (second, first)
                    };
                    bias = Some(self.constant(added.id)?);
                    layer = rest;
                }
                kind if TRANSPARENT.contains(&kind) => layer = self.source(layer.id, 0)?.0,
                _ => return None,
            }
        }
        None
    }

    fn mat_mul<'a>(&'a self, layer: &'a Layer, bias: Option<&'a Layer>) -> Option<Head<'a>> {
        if layer
            .data
            .get("transpose_a")
            .is_some_and(|value| value == "true")
        {
            return None;
        }
        Some(Head {
            source: self.source(layer.id, 0)?.0,
            weights: self.constant(self.source(layer.id, 1)?.0.id)?,
            transposed: layer
                .data
                .get("transpose_b")
                .is_some_and(|value| value == "true"),
            bias,
        })
    }

    /// The constant behind a layer, through a decompression (`Const` f16 to `Convert` f32).
    fn constant(&self, id: u32) -> Option<&Layer> {
        let layer = self.layer(id)?;
        match layer.kind.as_str() {
            "Const" => Some(layer),
            "Convert" => self
                .source(id, 0)
                .map(|(layer, _)| layer)
                .filter(|layer| layer.kind == "Const"),
            _ => None,
        }
    }
}

struct Head<'a> {
    source: &'a Layer,
    weights: &'a Layer,
    transposed: bool,
    bias: Option<&'a Layer>,
}

fn shape_of(constant: &Layer) -> Option<Vec<usize>> {
    let shape = constant.data.get("shape")?;
    shape
        .split(',')
        .map(|size| size.trim().parse().ok())
        .collect()
}

/// The values of a constant of f32 or f16; `None` for other types.
fn read_constant(bin: &Path, constant: &Layer) -> Result<Option<Vec<f32>>, EngineError> {
    let number = |key: &str| constant.data.get(key)?.parse::<u64>().ok();
    let (Some(offset), Some(size)) = (number("offset"), number("size")) else {
        return Ok(None);
    };
    let bytes = read_range(bin, offset, size, &constant.name)?;
    Ok(
        match constant.data.get("element_type").map(String::as_str) {
            Some("f32") => Some(
                bytes
                    .as_chunks()
                    .0
                    .iter()
                    .map(|&raw| f32::from_le_bytes(raw))
                    .collect(),
            ),
            Some("f16") => Some(
                bytes
                    .as_chunks()
                    .0
                    .iter()
                    .map(|&raw| f16(u16::from_le_bytes(raw)))
                    .collect(),
            ),
            _ => None,
        },
    )
}

fn read_range(bin: &Path, offset: u64, size: u64, layer: &str) -> Result<Vec<u8>, EngineError> {
    let mut file = File::open(bin).map_err(EngineError::io("read", bin))?;
    let length = file.metadata().map_err(EngineError::io("read", bin))?.len();
    if offset.checked_add(size).is_none_or(|end| end > length) {
        let reason =
            format!("has {length} bytes; layer {layer} lies at {offset} and is {size} bytes long");
        return Err(EngineError::Model {
            path: bin.to_owned(),
            reason,
        });
    }
    let mut bytes = vec![0; size as usize];
    file.seek(SeekFrom::Start(offset))
        .map_err(EngineError::io("read", bin))?;
    file.read_exact(&mut bytes)
        .map_err(EngineError::io("read", bin))?;
    Ok(bytes)
}

/// IEEE 754 binary16 to binary32, exact.
fn f16(bits: u16) -> f32 {
    let sign = if bits & 0x8000 == 0 { 1.0 } else { -1.0 };
    let (exponent, fraction) = (i32::from(bits >> 10 & 0x1f), f32::from(bits & 0x3ff));
    match exponent {
        0 => sign * fraction * 2f32.powi(-24),
        31 if fraction == 0.0 => sign * f32::INFINITY,
        31 => f32::NAN,
        _ => sign * (1.0 + fraction / 1024.0) * 2f32.powi(exponent - 15),
    }
}

/// Turns rows of length `columns` into columns.
fn transpose(values: &[f32], columns: usize) -> Vec<f32> {
    let columns = columns.max(1);
    (0..columns)
        .flat_map(|column| values.iter().skip(column).step_by(columns).copied())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_precision_is_exact() {
        for (bits, value) in [
            (0x3c00, 1.0),
            (0xc000, -2.0),
            (0x0001, 2f32.powi(-24)),
            (0x7bff, 65504.0),
            (0x7c00, f32::INFINITY),
        ] {
            assert_eq!(f16(bits).to_bits(), f32::to_bits(value), "{bits:#x}");
        }
        assert!(f16(0x7e00).is_nan());
    }

    fn model(folder: &Path, matmul: &str, shape: &str) -> IrModel {
        let text = format!(
            r#"<net><layers>
            <layer id="0" name="feat" type="Relu"><output><port id="0" names="feature_vector"/></output></layer>
            <layer id="1" name="w" type="Const"><data element_type="f32" shape="{shape}" offset="0" size="24"/></layer>
            <layer id="2" name="mm" type="MatMul"><data {matmul}/></layer>
            <layer id="3" name="b16" type="Const"><data element_type="f16" shape="1, 2" offset="24" size="4"/></layer>
            <layer id="4" name="b" type="Convert"/>
            <layer id="5" name="add" type="Add"><output><port id="2" names="logits"/></output></layer></layers>
            <edges><edge from-layer="0" from-port="0" to-layer="2" to-port="0"/>
            <edge from-layer="1" from-port="0" to-layer="2" to-port="1"/>
            <edge from-layer="3" from-port="0" to-layer="4" to-port="0"/>
            <edge from-layer="2" from-port="2" to-layer="5" to-port="0"/>
            <edge from-layer="4" from-port="1" to-layer="5" to-port="1"/></edges></net>"#
        );
        let path = folder.join("m.xml");
        IrModel::parse(&path, &text).unwrap()
    }

    fn write_bin(folder: &Path, weights: [f32; 6]) {
        let mut bin: Vec<u8> = weights.iter().flat_map(|w| w.to_le_bytes()).collect();
        bin.extend([0x00, 0x3c, 0x00, 0xc0]); // 1 and -2 in half precision
        std::fs::write(folder.join("m.bin"), bin).unwrap();
    }

    #[test]
    fn a_transposed_head_with_a_compressed_bias_is_read() {
        let folder = tempfile::tempdir().unwrap();
        write_bin(folder.path(), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        let model = model(
            folder.path(),
            r#"transpose_a="false" transpose_b="true""#,
            "2, 3",
        );
        let head = model.head_weights("logits").unwrap().unwrap();
        assert_eq!(
            (head.classes, head.features, head.source.as_str()),
            (2, 3, "feat")
        );
        assert_eq!(head.logits(&[1.0, 0.0, -1.0]), Some(vec![-1.0, -4.0]));
        assert_eq!(head.logits(&[1.0]), None);
    }

    #[test]
    fn a_plain_head_is_transposed() {
        let folder = tempfile::tempdir().unwrap();
        write_bin(folder.path(), [1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
        let head = model(folder.path(), r#"transpose_b="false""#, "3, 2").head_weights("logits");
        assert_eq!(
            head.unwrap().unwrap().weights,
            [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
        );
    }

    #[test]
    fn a_short_weights_file_is_named() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("m.bin"), [0; 8]).unwrap();
        let model = model(folder.path(), r#"transpose_b="true""#, "2, 3");
        let message = model.head_weights("logits").unwrap_err().to_string();
        assert!(
            message.contains("m.bin") && message.contains("has 8 bytes"),
            "{message}"
        );
    }

    #[test]
    fn other_endings_give_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let model = model(folder.path(), "", "2, 3");
        assert_eq!(model.head_weights("feature_vector").unwrap(), None);
        assert_eq!(model.head_weights("no such output").unwrap(), None);
    }
}
