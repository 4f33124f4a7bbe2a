use std::collections::HashMap;
use std::path::{Path, PathBuf};

use roxmltree::{Document, Node};

use super::ModelInfo;
use super::facts::{Fact, Place};
use crate::{EngineError, Version};

/// The largest model description that is read; real ones stay below 50 MB.
const LARGEST: u64 = 1 << 30;

/// An IR model as its XML file describes it.
#[derive(Debug, Clone, PartialEq)]
pub struct IrModel {
    path: PathBuf,
    layers: Vec<Layer>,
    edges: Vec<Edge>,
    info: Option<ModelInfo>,
    facts: Vec<Fact>,
    written_by: Option<Version>,
}

/// One operation of the graph.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Layer {
    /// Its id, unique in the file.
    pub id: u32,
    /// Its name, unique in practice.
    pub name: String,
    /// Its operation, such as `MatMul`, `Const`, `Result`.
    pub kind: String,
    /// Attributes of its `data` element, such as `transpose_b`, `offset`, `shape`.
    pub data: HashMap<String, String>,
    /// Names of the tensors that it produces, by output port.
    pub outputs: Vec<PortInfo>,
}

/// One output port of a layer.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PortInfo {
    /// Number of the port.
    pub id: u32,
    /// Names of the tensor, often none.
    pub names: Vec<String>,
    /// Shape; `-1` for a dimension that is only known at inference.
    pub shape: Vec<i64>,
    /// Order of the axes if the file states it, such as `NCHW`.
    pub layout: Option<String>,
}

/// A connection from an output port to an input port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Edge {
    pub(super) from: (u32, u32),
    pub(super) to: (u32, u32),
}

impl IrModel {
    /// Reads an IR's XML file.
    ///
    /// # Errors
    ///
    /// [`EngineError::Io`] when the file cannot be read, [`EngineError::Model`] when it is not
    /// the XML of an IR.
    pub fn read(path: &Path) -> Result<Self, EngineError> {
        let meta = std::fs::metadata(path).map_err(EngineError::io("read", path))?;
        if meta.len() > LARGEST {
            return Err(wrong(path, "is larger than any model description"));
        }
        let bytes = std::fs::read(path).map_err(EngineError::io("read", path))?;
        let text = String::from_utf8(bytes).map_err(|_| wrong(path, "is not UTF-8 text"))?;
        Self::parse(path, &text)
    }

    /// Reads an IR from the text of its XML file; `path` is used in messages and to find the weights.
    pub fn parse(path: &Path, text: &str) -> Result<Self, EngineError> {
        let document = Document::parse(text)
            .map_err(|error| wrong(path, &format!("is not complete XML: {error}")))?;
        let root = document.root_element();
        if !root.has_tag_name("net") {
            let name = root.tag_name().name();
            return Err(wrong(
                path,
                &format!("is no OpenVINO model: its root is <{name}>, not <net>"),
            ));
        }
        let layers = child(root, "layers").ok_or_else(|| wrong(path, "has no <layers>"))?;
        let layers: Option<Vec<Layer>> = elements(layers, "layer").map(layer).collect();
        let layers = layers.ok_or_else(|| wrong(path, "has a <layer> without id, name or type"))?;
        let edges = child(root, "edges")
            .into_iter()
            .flat_map(|edges| elements(edges, "edge"));
        let edges = edges.filter_map(edge).collect();
        let facts = child(root, "rt_info").map(facts).unwrap_or_default();
        Ok(Self {
            path: path.to_owned(),
            layers,
            edges,
            written_by: written_by(&facts),
            info: ModelInfo::of(&facts),
            facts,
        })
    }

    /// The XML file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// All layers, in the file's order.
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// The model's configuration from `rt_info/model_info`, if it has one.
    pub fn info(&self) -> Option<&ModelInfo> {
        self.info.as_ref()
    }

    /// All entries of `rt_info` with a value, those of `model_info` under their own keys.
    pub fn facts(&self) -> &[Fact] {
        &self.facts
    }

    /// The OpenVINO that wrote the file, if the file says so.
    pub fn written_by(&self) -> Option<Version> {
        self.written_by
    }

    /// The order of the axes of the first input, if the file states it, such as `NCHW`.
    pub fn input_layout(&self) -> Option<&str> {
        let input = self.layers.iter().find(|layer| layer.kind == "Parameter")?;
        input.outputs.first()?.layout.as_deref()
    }

    /// The layer of this id.
    pub(super) fn layer(&self, id: u32) -> Option<&Layer> {
        self.layers.iter().find(|layer| layer.id == id)
    }

    /// The layer and output port that feed input port `port` of a layer; ports count from 0.
    pub(super) fn source(&self, layer: u32, port: u32) -> Option<(&Layer, u32)> {
        let edge = self.edges.iter().find(|edge| edge.to == (layer, port))?;
        Some((self.layer(edge.from.0)?, edge.from.1))
    }
}

fn wrong(path: &Path, reason: &str) -> EngineError {
    EngineError::Model {
        path: path.to_owned(),
        reason: reason.to_owned(),
    }
}

fn child<'a, 'b>(node: Node<'a, 'b>, name: &str) -> Option<Node<'a, 'b>> {
    node.children().find(|child| child.has_tag_name(name))
}

fn elements<'a, 'b>(node: Node<'a, 'b>, name: &'static str) -> impl Iterator<Item = Node<'a, 'b>> {
    node.children()
        .filter(move |child| child.has_tag_name(name))
}

fn layer(node: Node<'_, '_>) -> Option<Layer> {
    let data = child(node, "data").into_iter().flat_map(|data| {
        data.attributes()
            .map(|attribute| (attribute.name().to_owned(), attribute.value().to_owned()))
    });
    let ports = child(node, "output")
        .into_iter()
        .flat_map(|output| elements(output, "port"));
    Some(Layer {
        id: node.attribute("id")?.parse().ok()?,
        name: node.attribute("name")?.to_owned(),
        kind: node.attribute("type")?.to_owned(),
        data: data.collect(),
        outputs: ports.filter_map(port).collect(),
    })
}

fn port(node: Node<'_, '_>) -> Option<PortInfo> {
    let names = node.attribute("names").unwrap_or_default();
    let attributes = child(node, "rt_info")
        .into_iter()
        .flat_map(|info| elements(info, "attribute"));
    let mut layouts = attributes.filter_map(|attribute| attribute.attribute("layout"));
    Some(PortInfo {
        id: node.attribute("id")?.parse().ok()?,
        names: split_names(names),
        shape: elements(node, "dim")
            .filter_map(|dim| dim.text()?.trim().parse().ok())
            .collect(),
        layout: layouts.next().map(|text| text.replace(['[', ']', ','], "")),
    })
}

/// Splits a list of tensor names at its commas; a comma within a name is written `\,`.
fn split_names(text: &str) -> Vec<String> {
    let mut names = vec![String::new()];
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match (character, names.last_mut()) {
            ('\\', Some(name)) => name.extend(characters.next()),
            (',', _) => names.push(String::new()),
            (other, Some(name)) => name.push(other),
            (_, None) => {}
        }
    }
    names.retain(|name| !name.is_empty());
    names
}

fn edge(node: Node<'_, '_>) -> Option<Edge> {
    let number = |name| node.attribute(name)?.parse().ok();
    Some(Edge {
        from: (number("from-layer")?, number("from-port")?),
        to: (number("to-layer")?, number("to-port")?),
    })
}

/// The entries below a node; an entry with further entries adds its name to their path.
fn facts(rt_info: Node<'_, '_>) -> Vec<Fact> {
    let mut facts = Vec::new();
    let values = rt_info.descendants().filter(|node| *node != rt_info);
    for (node, value) in values.filter_map(|node| Some((node, node.attribute("value")?))) {
        let own = node.tag_name().name();
        // Two forms are written: `<key value=…>` and `<info name="key" value=…>`.
        let name = node.attribute("name").unwrap_or(own);
        let above = node
            .ancestors()
            .skip(1)
            .take_while(|above| *above != rt_info);
        let mut path: Vec<&str> = above.map(|above| above.tag_name().name()).collect();
        path.reverse();
        path.push(name);
        let (place, path) = match path.split_first() {
            Some((&"model_info", own)) if !own.is_empty() => (Place::ModelInfo, own),
            _ => (Place::RtInfo, path.as_slice()),
        };
        facts.push(Fact {
            place,
            key: path.join("/"),
            value: value.to_owned(),
        });
    }
    facts
}

fn written_by(facts: &[Fact]) -> Option<Version> {
    const KEYS: [&str; 2] = ["Runtime_version", "OpenVINO Runtime"];
    let mut facts = facts.iter();
    let fact =
        facts.find(|fact| fact.place == Place::RtInfo && KEYS.contains(&fact.key.as_str()))?;
    Version::parse(&fact.value)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: &str = r#"<?xml version="1.0"?>
        <net name="n" version="11"><layers>
          <layer id="0" name="x" type="Parameter"><data shape="1,3" element_type="f32"/>
            <output><port id="0" names="x,a\,b"><dim>1</dim><dim>-1</dim>
            <rt_info><attribute name="layout" version="0" layout="[N,C]"/></rt_info></port></output></layer>
          <layer id="1" name="y" type="Result"/></layers>
          <edges><edge from-layer="0" from-port="0" to-layer="1" to-port="0"/></edges>
          <rt_info><Runtime_version value="2026.4.1-1-x"/>
            <model_info><labels value="cat dog"/><multilabel value="False"/>
            <deep><key value="1"/></deep></model_info><framework><names value="{}"/></framework></rt_info></net>"#;

    fn parse(text: &str) -> Result<IrModel, EngineError> {
        IrModel::parse(Path::new("m.xml"), text)
    }

    #[test]
    fn layers_edges_and_information_are_read() {
        let model = parse(SMALL).unwrap();
        assert_eq!(model.layers()[0].outputs[0].names, ["x", "a,b"]);
        assert_eq!(model.layers()[0].outputs[0].shape, [1, -1]);
        assert_eq!(model.input_layout(), Some("NC"));
        assert_eq!(model.source(1, 0).unwrap().0.name, "x");
        assert_eq!(model.written_by(), Version::parse("2026.4.1"));
        assert_eq!(model.info().unwrap().get("labels"), Some("cat dog"));
        let keys: Vec<_> = model
            .facts()
            .iter()
            .map(|fact| (fact.place, fact.key.as_str()))
            .collect();
        assert_eq!(
            keys,
            [
                (Place::RtInfo, "Runtime_version"),
                (Place::ModelInfo, "labels"),
                (Place::ModelInfo, "multilabel"),
                (Place::ModelInfo, "deep/key"),
                (Place::RtInfo, "framework/names"),
            ]
        );
    }

    #[test]
    fn damaged_files_say_what_is_wrong() {
        struct Case(&'static str, &'static str);
        for Case(text, expected) in [
            Case("", "is not complete XML"),
            Case(&SMALL[..200], "is not complete XML"),
            Case("<html/>", "its root is <html>, not <net>"),
            Case("<net/>", "has no <layers>"),
            Case("<net><layers><layer id='x'/></layers></net>", "without id"),
        ] {
            let message = parse(text).unwrap_err().to_string();
            assert!(
                message.contains(expected) && message.contains("m.xml"),
                "{message}"
            );
        }
    }

    #[test]
    fn a_model_without_rt_info_is_read() {
        let model = parse("<net><layers/></net>").unwrap();
        assert_eq!((model.info(), model.written_by()), (None, None));
    }
}
