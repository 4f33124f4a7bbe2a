//! The demo on several splits of its photos, each with a head fitted anew.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::process::{self, cargo, root};
use crate::{Outcome, python};

/// AUROC of strange against known photos that every split must reach.
const GOAL_AUROC: f64 = 0.85;

/// Runs the demo on the splits `0..count`, prints a table, and fails where a split misses the goal.
pub(crate) fn run(count: u32) -> Outcome {
    let folder = root().join("target").join("demo-seeds");
    let environment = python::environment("reseed", &["numpy", "openvino==2025.4.1"])?;
    let mut missed = 0;
    let mut table = String::from("seed  AUROC  FPR@95  false alarms  misses\n");
    for seed in 0..count {
        let report = run_seed(seed, &folder, &environment)?;
        // A missing number is a miss as well.
        missed += u32::from(number(&report, "auroc").is_none_or(|auroc| auroc < GOAL_AUROC));
        table += &row(seed, &report);
    }
    println!("{table}");
    if missed == 0 {
        Ok(())
    } else {
        Err(format!("{missed} of {count} seeds are below {GOAL_AUROC}"))
    }
}

/// Makes one split's deployment, runs the demo on it and reads its report.
fn run_seed(seed: u32, folder: &Path, environment: &Path) -> Result<Value, String> {
    let file = |name: &str| -> PathBuf { folder.join(format!("{name}-{seed}")) };
    process::run(
        Command::new(python::interpreter(environment))
            .args(["tools/reseed_demo.py", "--assets", "assets/demo"])
            .args(["--seed", &seed.to_string(), "--out"])
            .arg(file("assets")),
    )?;
    let mut demo = cargo();
    demo.args(["run", "--release", "--quiet", "--", "demo", "--assets"])
        .arg(file("assets"));
    demo.arg("--dir")
        .arg(file("run"))
        .arg("--json")
        .arg(file("report"));
    process::run(&mut demo)?;
    read(&file("report"))
}

fn read(path: &Path) -> Result<Value, String> {
    let text = std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
    serde_json::from_str(&text).map_err(|e| format!("{}: {e}", path.display()))
}

fn row(seed: u32, report: &Value) -> String {
    let count = |key: &str| report[key].as_array().map_or(0, Vec::len);
    let shown = |key: &str| number(report, key).unwrap_or(f64::NAN);
    let (auroc, fpr) = (shown("auroc"), shown("fpr_at_95_tpr"));
    let (alarms, misses) = (count("false_alarms"), count("misses"));
    format!("{seed:4}  {auroc:.3}  {fpr:6.3}  {alarms:12}  {misses:6}\n")
}

fn number(report: &Value, key: &str) -> Option<f64> {
    report[key].as_f64()
}
