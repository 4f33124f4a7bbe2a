use super::IrModel;
use crate::EngineError;

impl IrModel {
    /// The text of the model's XML file with the first output of `layer` as one more output.
    ///
    /// The file is read again; nothing is written.
    ///
    /// # Errors
    ///
    /// [`EngineError::Model`] when there is no such layer or it has no output.
    pub fn with_output(&self, layer: &str, name: &str) -> Result<String, EngineError> {
        let wrong = |reason: String| EngineError::Model {
            path: self.path().to_owned(),
            reason,
        };
        let source = self.layers().iter().find(|other| other.name == layer);
        let source = source.ok_or_else(|| wrong(format!("has no layer `{layer}`")))?;
        let port = source.outputs.first();
        let port = port.ok_or_else(|| wrong(format!("layer `{layer}` has no output")))?;
        let text =
            std::fs::read_to_string(self.path()).map_err(EngineError::io("read", self.path()))?;
        let id = self
            .layers()
            .iter()
            .map(|layer| layer.id)
            .max()
            .map_or(0, |last| last + 1);
        let sizes: Vec<String> = port.shape.iter().map(i64::to_string).collect();
        let dims = if sizes.is_empty() {
            String::new()
        } else {
            format!("<dim>{}</dim>", sizes.join("</dim><dim>"))
        };
        let name = escaped(name);
        let result = format!(
            "<layer id=\"{id}\" name=\"{name}/result\" type=\"Result\" version=\"opset1\" \
             output_names=\"{name}\"><input><port id=\"0\" precision=\"FP32\">{dims}</port></input></layer>\n"
        );
        let edge = format!(
            "<edge from-layer=\"{}\" from-port=\"{}\" to-layer=\"{id}\" to-port=\"0\" />\n",
            source.id, port.id
        );
        let text = before_last(&text, "</layers>", &result);
        let text = text.and_then(|text| before_last(&text, "</edges>", &edge));
        text.ok_or_else(|| wrong("has no <layers> or no <edges>".to_owned()))
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('"', "&quot;")
}

fn before_last(text: &str, mark: &str, addition: &str) -> Option<String> {
    let (head, tail) = text.split_at(text.rfind(mark)?);
    Some([head, addition, tail].concat())
}
