//! The tests of the Python package, of the Python SDK against our server, and of the pages.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::programs;
use crate::process::{root, run};
use crate::{Outcome, python};

/// The release of the Python SDK that everything is compared with.
const SDK: &str = "geti-sdk==2.13.1";

/// What the tests of the package need besides the package.
const TOOLS: [&str; 10] = [
    "pip>=23",
    "maturin>=1.16,<2",
    "mypy",
    "pytest",
    "scikit-learn>=1.6",
    "opencv-python-headless",
    "nbconvert",
    "ipykernel",
    "tqdm",
    "pandas",
];

/// Photos that SDK and package are compared on, below the photos of the demo.
const PHOTOS: [&str; 6] = [
    "fish/fish1.webp",
    "fish/fish2.webp",
    "tool/plier2.webp",
    "renewable/solar5.webp",
    "farm_animal/dog.webp",
    "other/cup.webp",
];

/// Deployments of every task that they are compared on, of `fixtures/deployments`.
///
/// No anomaly task is among them: there the SDK gives numbers above 1 as probabilities.
const FIXTURES: [&str; 10] = [
    "boxes",
    "boxes_none",
    "chain_detect_classify",
    "instances_masks",
    "multi_two",
    "points",
    "regions",
    "rotated_masks",
    "single_standard",
    "tree_dog",
];

/// Builds the wheel, installs it, and tests it where it is installed.
pub(crate) fn package() -> Outcome {
    println!("Testing the Python package: a wheel is built and installed, which takes minutes.");
    let environment = python::environment("package", &TOOLS)?;
    install(&environment, &build_wheel(&environment)?)?;
    types(&environment)?;
    signatures(&environment)?;
    unit_tests(&environment)?;
    guide(&environment)?;
    notebook(&environment)?;
    leak(&environment)?;
    compare(&environment)
}

/// Builds a wheel without optimisation of our own code; it finds dependencies built before.
fn build_wheel(environment: &Path) -> Result<PathBuf, String> {
    let out = root().join("target").join("wheels");
    if out.exists() {
        std::fs::remove_dir_all(&out).map_err(|error| format!("{}: {error}", out.display()))?;
    }
    let mut command = Command::new(environment.join("bin").join("maturin"));
    command
        .args(["build", "--profile", "dev"])
        .args(["--manifest-path", "python/Cargo.toml", "--out"])
        .arg(&out)
        .arg("--interpreter")
        .arg(python::interpreter(environment));
    if std::env::var_os("CARGO_TARGET_DIR").is_none() {
        command.env("CARGO_TARGET_DIR", root().join("target"));
    }
    run(&mut command)?;
    let mut wheels =
        std::fs::read_dir(&out).map_err(|error| format!("{}: {error}", out.display()))?;
    match wheels.next() {
        Some(Ok(wheel)) => Ok(wheel.path()),
        _ => Err(format!("maturin left no wheel in {}", out.display())),
    }
}

/// Installs a wheel in the place of an earlier one, and then what it depends on.
fn install(environment: &Path, wheel: &Path) -> Outcome {
    for options in [&["--force-reinstall", "--no-deps"][..], &[]] {
        let mut pip = Command::new(python::interpreter(environment));
        pip.args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
        ])
        .args(options)
        .arg(wheel);
        run(&mut pip)?;
    }
    Ok(())
}

/// Checks the types of the installed package, with those of the extension.
fn types(environment: &Path) -> Outcome {
    let mut command = Command::new(python::interpreter(environment));
    command.args(["-m", "mypy", "--ignore-missing-imports"]);
    run(command.args(["--python-version", "3.10", "-p", "straylight"]))
}

/// Compares names, arguments and defaults of the public calls with those of the SDK.
fn signatures(environment: &Path) -> Outcome {
    let sdk = sdk_environment()?;
    let script = "tests/python/signatures.py";
    let out = root().join("target");
    let lists = [("geti_sdk", &*sdk), ("straylight", environment)].map(|(package, environment)| {
        let list = out.join(format!("calls-of-{package}.json"));
        let mut command = Command::new(python::interpreter(environment));
        run(command.args([script, package]).arg(&list)).map(|()| list)
    });
    let [theirs, ours] = lists;
    let mut command = Command::new(python::interpreter(environment));
    run(command.args([script, "--compare"]).arg(theirs?).arg(ours?))
}

/// Runs the tests from a copy, so that the source tree is out of sight.
fn unit_tests(environment: &Path) -> Outcome {
    let folder = root().join("target").join("python-tests");
    let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
    if folder.exists() {
        std::fs::remove_dir_all(&folder).map_err(failed)?;
    }
    std::fs::create_dir_all(&folder).map_err(failed)?;
    let tests = root().join("tests/python/package");
    for entry in std::fs::read_dir(&tests).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if let Some(name) = path.file_name().filter(|_| path.is_file()) {
            std::fs::copy(&path, folder.join(name)).map_err(failed)?;
        }
    }
    let mut command = Command::new(python::interpreter(environment));
    command
        .args(["-m", "pytest", "-q", "--rootdir"])
        .arg(&folder);
    run(command.arg(&folder))
}

/// Runs the blocks of Python of the guide and of the READMEs.
fn guide(environment: &Path) -> Outcome {
    let pages = root().join("docs/src");
    let failed = |error: std::io::Error| format!("{}: {error}", pages.display());
    let mut files = vec![root().join("README.md"), root().join("python/README.md")];
    for entry in std::fs::read_dir(&pages).map_err(failed)? {
        files.push(entry.map_err(failed)?.path());
    }
    files.retain(|file| file.extension().is_some_and(|extension| extension == "md"));
    files.sort();
    let mut command = Command::new(python::interpreter(environment));
    run(command.arg("tests/python/run_guide.py").args(files))
}

/// Executes the notebook, every cell, against a classification and a detection.
fn notebook(environment: &Path) -> Outcome {
    let mut command = Command::new(python::interpreter(environment));
    command.args([
        "tests/python/run_notebook.py",
        "--notebook",
        "examples/collecting_ood_images.ipynb",
        "--pictures",
        "target/notebook-pictures",
    ]);
    run(&mut command)
}

/// Watches the memory over many calls; the benchmark takes more of them.
fn leak(environment: &Path) -> Outcome {
    let mut command = Command::new(python::interpreter(environment));
    run(command.args(["benchmarks/python/leak.py", "30000"]))
}

/// Runs one script with the SDK and with the package, and compares what they say.
fn compare(environment: &Path) -> Outcome {
    let sdk = sdk_environment()?;
    let script = "tests/python/compare_deployment.py";
    let out = root().join("target");
    let results =
        [("geti_sdk", &*sdk), ("straylight", environment)].map(|(package, environment)| {
            let result = out.join(format!("said-by-{package}.json"));
            let mut command = Command::new(python::interpreter(environment));
            command
                .args([script, package, "assets/demo/deployment"])
                .arg(&result)
                .args(PHOTOS.map(|photo| format!("assets/demo/photos/{photo}")))
                .args(FIXTURES.map(|name| format!("fixtures/deployments/{name}.json")));
            run(&mut command).map(|()| result)
        });
    let [theirs, ours] = results;
    let mut command = Command::new(python::interpreter(environment));
    run(command.args([script, "--compare"]).arg(theirs?).arg(ours?))
}

/// The environment of the SDK, with an OpenCV that also works where there is no display.
fn sdk_environment() -> Result<PathBuf, String> {
    let environment = python::environment("sdk", &[SDK])?;
    let python = || Command::new(python::interpreter(&environment));
    let works = python()
        .args(["-c", "import cv2"])
        .stderr(Stdio::null())
        .status();
    if !works.is_ok_and(|status| status.success()) {
        println!("The SDK's OpenCV wants the libraries of a display; taking the one without.");
        let pip = [
            "-m",
            "pip",
            "install",
            "--quiet",
            "--force-reinstall",
            "--no-deps",
        ];
        run(python().args(pip).arg("opencv-python-headless"))?;
    }
    Ok(environment)
}

/// Takes the unmodified SDK through what its users do, against our server, and through hooks that
/// it shares with us; with another release of it when `SDK_VERSION` names one.
pub(crate) fn sdk_flow() -> Outcome {
    println!("Testing our server with the Python SDK, which pip fetches.");
    if let Ok(version) = std::env::var("SDK_VERSION") {
        // Files of hooks are those of the newest release.
        return run(Command::new("sh")
            .arg("tests/python/run_sdk_flow.sh")
            .env("SDK_VERSION", version));
    }
    let environment = sdk_environment()?;
    for script in ["run_sdk_flow.sh", "run_hook_config.sh"] {
        run(Command::new("sh")
            .arg(format!("tests/python/{script}"))
            .env("SDK_VENV", &environment))?;
    }
    Ok(())
}

/// Takes the pages through a browser.
pub(crate) fn pages() -> Outcome {
    programs::install(&["node", "npm", "chromium"])?;
    run(Command::new("sh").arg("tests/browser/run_browser_test.sh"))
}
