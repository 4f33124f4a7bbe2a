//! Damaged and unreadable deployments: every error names the file and says what to do.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use straylight_deploy::{DeployError, Deployment, LoadOptions, ModelCache};

/// A copy of the demo's deployment that a test may damage.
struct Copy(tempfile::TempDir);

impl Copy {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        common::copy_folder(&common::demo_folder(), &root.path().join("deployment"));
        Self(root)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join("deployment").join(name)
    }

    fn model(&self, name: &str) -> PathBuf {
        self.path("Classification task/model").join(name)
    }

    fn load_error(&self) -> DeployError {
        let options = LoadOptions {
            cache: ModelCache::Off,
            ..LoadOptions::default()
        };
        Deployment::from_folder(self.0.path(), &options).unwrap_err()
    }

    /// Checks that the error names all of `parts`, and that something is said to be done.
    fn assert_error(&self, parts: &[&str]) {
        let error = self.load_error();
        let text = error.to_string();
        for part in parts {
            assert!(text.contains(part), "`{part}` is not in: {text}");
        }
        let says_what_to_do = !error.hint().is_empty() || text.contains("(check");
        assert!(says_what_to_do, "no way out: {text}");
    }
}

fn truncate(path: &Path, length: usize) {
    let bytes = fs::read(path).unwrap();
    fs::write(path, &bytes[..length.min(bytes.len())]).unwrap();
}

fn edit(path: &Path, from: &str, to: &str) {
    let text = fs::read_to_string(path).unwrap();
    assert!(text.contains(from), "{from}");
    fs::write(path, text.replace(from, to)).unwrap();
}

#[test]
fn missing_files_are_named() {
    for (name, parts) in [
        ("project.json", &["project.json", "no deployment"][..]),
        (
            "Classification task/model/model.xml",
            &["model.xml", "cannot read"],
        ),
        (
            "Classification task/model/model.bin",
            &["model.bin", "cannot read"],
        ),
    ] {
        let copy = Copy::new();
        fs::remove_file(copy.path(name)).unwrap();
        copy.assert_error(parts);
    }
    let copy = Copy::new();
    fs::remove_dir_all(copy.path("Classification task")).unwrap();
    copy.assert_error(&["Classification task", "model.xml"]);
}

#[test]
fn a_folder_that_does_not_exist_is_named() {
    let error = Deployment::from_folder("/no/such/folder", &LoadOptions::default()).unwrap_err();
    assert!(error.to_string().contains("/no/such/folder"), "{error}");
}

#[test]
fn truncated_models_are_named() {
    for (name, length, parts) in [
        ("model.xml", 0, &["model.xml", "is not complete XML"][..]),
        ("model.xml", 100_000, &["model.xml", "is not complete XML"]),
        ("model.bin", 0, &["model"]),
        ("model.bin", 1_000_000, &["model"]),
    ] {
        let copy = Copy::new();
        truncate(&copy.model(name), length);
        copy.assert_error(parts);
    }
}

#[test]
fn a_model_without_rt_info_says_how_to_describe_it() {
    let copy = Copy::new();
    edit(&copy.model("model.xml"), "model_info>", "other_info>");
    copy.assert_error(&["model.xml", "rt_info/model_info", "config.json"]);
    // An older export keeps its configuration beside the model.
    fs::write(
        copy.model("config.json"),
        r#"{"model_type": "Classification", "labels": "fish monument renewable tool",
            "mean_values": "127 127 127", "scale_values": "128 128 128"}"#,
    )
    .unwrap();
    Deployment::from_folder(copy.0.path(), &LoadOptions::default()).unwrap();
}

#[test]
fn a_model_with_a_second_input_is_refused() {
    let copy = Copy::new();
    let size = "<layer id=\"9999\" name=\"size\" type=\"Parameter\" version=\"opset1\">\
        <data shape=\"1,1\" element_type=\"f32\"/><output><port id=\"0\" precision=\"FP32\" \
        names=\"size\"><dim>1</dim><dim>1</dim></port></output></layer></layers>";
    edit(&copy.model("model.xml"), "</layers>", size);
    copy.assert_error(&["model.xml", "`size`", "only input"]);
}

#[test]
fn files_that_are_not_json_are_named_with_line_and_column() {
    for (name, text) in [
        ("project.json", ""),
        ("project.json", "<html>not found</html>"),
        ("project.json", r#"{"name": "x", "pipeline": {"tasks": 3}}"#),
        ("Classification task/model/config.json", "{"),
    ] {
        let copy = Copy::new();
        fs::write(copy.path(name), text).unwrap();
        let file = Path::new(name).file_name().unwrap().to_str().unwrap();
        copy.assert_error(&[file, "line 1 column"]);
    }
    let copy = Copy::new();
    fs::write(copy.path("project.json"), b"\xff\xfe").unwrap();
    copy.assert_error(&["project.json"]);
}

#[test]
fn configuration_values_are_named() {
    struct Case(&'static str, &'static str, &'static [&'static str]);
    for Case(from, to, parts) in [
        Case(
            "scale_values value=\"128.0 128.0 128.0\"",
            "scale_values value=\"0 1 1\"",
            &["scale_values", "divided by 0"],
        ),
        Case(
            "mean_values value=\"127.0 127.0 127.0\"",
            "mean_values value=\"1 2\"",
            &["mean_values", "2 values"],
        ),
        Case(
            "resize_type value=\"standard\"",
            "resize_type value=\"stretch\"",
            &["resize_type", "stretch"],
        ),
        Case(
            "multilabel value=\"False\"",
            "multilabel value=\"Perhaps\"",
            &["multilabel", "Perhaps"],
        ),
    ] {
        let copy = Copy::new();
        edit(&copy.model("model.xml"), from, to);
        copy.assert_error(parts);
        copy.assert_error(&["model.xml"]);
    }
}

#[test]
fn a_project_without_trainable_tasks_or_with_a_wandering_title_is_refused() {
    let copy = Copy::new();
    edit(&copy.path("project.json"), "\"classification\"", "\"crop\"");
    copy.assert_error(&["project.json", "no trainable task"]);
    let copy = Copy::new();
    edit(
        &copy.path("project.json"),
        "\"Classification task\"",
        "\"../elsewhere\"",
    );
    copy.assert_error(&["project.json", "../elsewhere"]);
}

#[test]
fn a_folder_in_the_place_of_a_file_is_named() {
    for name in ["project.json", "Classification task/model/model.xml"] {
        let copy = Copy::new();
        fs::remove_file(copy.path(name)).unwrap();
        fs::create_dir(copy.path(name)).unwrap();
        let file = Path::new(name).file_name().unwrap().to_str().unwrap();
        assert!(copy.load_error().to_string().contains(file));
    }
}

#[cfg(unix)]
#[test]
fn files_that_may_not_be_read_are_named() {
    use std::os::unix::fs::PermissionsExt;
    for name in [
        "project.json",
        "Classification task/model/model.xml",
        "Classification task/model/model.bin",
    ] {
        let copy = Copy::new();
        fs::set_permissions(copy.path(name), fs::Permissions::from_mode(0o000)).unwrap();
        if fs::File::open(copy.path(name)).is_ok() {
            return; // The superuser may read everything.
        }
        let file = Path::new(name).file_name().unwrap().to_str().unwrap();
        copy.assert_error(&[file, "ermission denied"]);
    }
}
