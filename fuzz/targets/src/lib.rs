//! What fuzzers run: a function for each format that comes from outside, and for the inputs of
//! the server. It panics where something does not hold that must hold for any bytes.
//!
//! `fuzz/` wraps each into a target of cargo-fuzz; `tests/replay.rs` runs all of them on real
//! files and on what fuzzers found, with an ordinary compiler.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a panic is a finding"
)]

mod annotations;
mod archive;
mod env_file;
mod geti_wire;
mod hook_config;
mod image_decode;
mod image_deep;
mod label_filter;
mod model_description;
mod model_xml;
mod onnx_model;
mod ood_arrays;
mod ood_model;
mod post_process;
mod project_json;
mod seeds;
mod server;
mod source_archive;
mod tflite_model;

use std::path::{Path, PathBuf};

/// Something that must hold for any bytes.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// The name of the target.
    pub name: &'static str,
    /// Panics if it does not hold.
    pub run: fn(&[u8]),
    /// Real files to begin with: paths below the root of the repository, with the ending of the
    /// files after `*` where it is a folder.
    seeds: &'static [&'static str],
    /// What stands before the content of a file.
    lead: fn(&Path) -> Vec<u8>,
}

const fn target(name: &'static str, run: fn(&[u8]), seeds: &'static [&'static str]) -> Target {
    let lead = seeds::nothing;
    Target {
        name,
        run,
        seeds,
        lead,
    }
}

/// All targets.
#[rustfmt::skip]
pub const TARGETS: &[Target] = &[
    Target {
        lead: annotations::lead,
        ..target("annotations", annotations::fuzz, &["fixtures/formats/*json", "fixtures/formats/*xml",
            "fixtures/formats/*txt", "fixtures/formats/*yaml", "fixtures/formats/*csv"])
    },
    target("archive", archive::fuzz, &["fixtures/ood/*npz"]),
    target("env_file", env_file::fuzz, &[]),
    target("geti_wire", geti_wire::fuzz, &["fixtures/formats/*json", "fixtures/upgrade/*json"]),
    target("hook_config", hook_config::fuzz, &["fixtures/upgrade/*json"]),
    target("image_decode", image_decode::fuzz, &["fixtures/images", "fixtures/media", "fixtures/formats/*png"]),
    target("image_deep", image_deep::fuzz, &["fixtures/images", "fixtures/media", "fixtures/geti3/*png"]),
    target("label_filter", label_filter::fuzz, &[]),
    target("model_description", model_description::fuzz, &["fixtures/families/*json"]),
    target("model_xml", model_xml::fuzz, &["fixtures/upgrade/*xml"]),
    target("onnx_model", onnx_model::fuzz, &["fixtures/models/*onnx", "fixtures/families/*onnx"]),
    target("ood_arrays", ood_arrays::fuzz, &["fixtures/ood/*npz", "fixtures/upgrade/*safetensors"]),
    target("ood_model", ood_model::fuzz, &[]),
    target("post_process", post_process::fuzz, &[]),
    target("project_json", project_json::fuzz, &["fixtures/deployments/*json", "fixtures/upgrade/*json"]),
    Target { lead: server::lead, ..target("server_request", server::fuzz_request, &["fixtures/formats/*json", "fixtures/upgrade/*json"]) },
    target("server_stranger", server::fuzz_stranger, &[]),
    target("source_archive", source_archive::fuzz, &["fixtures/ood/*npz"]),
    target("tflite_model", tflite_model::fuzz, &["fixtures/models/*tflite"]),
];

/// The target of this name.
///
/// # Panics
///
/// If there is none.
pub fn run(name: &str, bytes: &[u8]) {
    let target = TARGETS.iter().find(|target| target.name == name);
    (target.expect("a target").run)(bytes);
}

impl Target {
    /// The inputs to begin with: what is kept below `fuzz/seeds`, and real files.
    ///
    /// # Panics
    ///
    /// If a file cannot be read.
    pub fn inputs(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let kept = seeds::below(&seeds::root().join("fuzz/seeds").join(self.name), "");
        let kept = kept.into_iter().map(|path| (path, Vec::new()));
        let real = self.seeds.iter().flat_map(|seed| seeds::named(seed));
        let real = real.map(|path| {
            let lead = (self.lead)(&path);
            (path, lead)
        });
        let read = |(path, mut input): (PathBuf, Vec<u8>)| {
            input.extend(std::fs::read(&path).expect("a file that can be read"));
            (path, input)
        };
        kept.chain(real).map(read).collect()
    }
}
