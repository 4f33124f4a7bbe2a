#![cfg(unix)]

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::sync::atomic::{AtomicU64, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use zip::write::SimpleFileOptions;

use super::*;

const LIBRARY: &str = "libopenvino_c.so.2641";

/// A wheel with one needed library and one that is not needed.
fn write_wheel(path: &Path, library: &[u8], recorded: &[u8]) {
    let mut zip = zip::ZipWriter::new(File::create(path).unwrap());
    let record = format!(
        "openvino/libs/{LIBRARY},sha256={},{}\nopenvino-2026.4.1.dist-info/RECORD,,\n",
        URL_SAFE_NO_PAD.encode(Sha256::digest(recorded)),
        recorded.len()
    );
    for (name, bytes) in [
        (format!("openvino/libs/{LIBRARY}"), library),
        ("openvino/libs/cache.json".to_owned(), b"{}".as_slice()),
        (
            "openvino-2026.4.1.dist-info/RECORD".to_owned(),
            record.as_bytes(),
        ),
    ] {
        zip.start_file(name, SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap();
}

fn hex_of(path: &Path) -> String {
    unpack::hexadecimal(&Sha256::digest(fs::read(path).unwrap()))
}

/// A program that takes pip's arguments and copies `wheel` to where pip would put it.
fn fake_python(folder: &Path, wheel: &Path, file: &str) -> Pip {
    let script = format!(
        "#!/bin/sh\ncase \"$*\" in *--version*) exit 0;; esac\n\
         echo run >> '{0}/runs'\nwhile [ \"$1\" != --dest ]; do shift; done\n\
         cp '{1}' \"$2/{file}\" || {{ echo 'ERROR: no such wheel' >&2; exit 1; }}\n",
        folder.display(),
        wheel.display(),
    );
    let path = folder.join("python");
    fs::write(&path, script).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    Pip::new(path)
}

#[derive(Default)]
struct Counted(AtomicU64);

impl Progress for Counted {
    fn begin(&self, _what: &str, _total: u64) {}

    fn advance(&self, steps: u64) {
        self.0.fetch_add(steps, Ordering::Relaxed);
    }

    fn finish(&self) {}
}

struct Scene {
    root: tempfile::TempDir,
    wheel: Wheel,
    pip: Pip,
}

impl Scene {
    fn new(library: &[u8], recorded: &[u8]) -> Self {
        let root = tempfile::tempdir().unwrap();
        let source = root.path().join("source.whl");
        write_wheel(&source, library, recorded);
        let wheel = Wheel {
            file: "small.whl",
            sha256: Box::leak(hex_of(&source).into_boxed_str()),
            bytes: fs::metadata(&source).unwrap().len(),
            library: LIBRARY,
            ..Wheel::for_this_machine().unwrap()
        };
        let pip = fake_python(root.path(), &source, wheel.file);
        Self { root, wheel, pip }
    }

    fn cache(&self) -> PathBuf {
        self.root.path().join("cache")
    }

    fn fetch(&self) -> Result<PathBuf, EngineError> {
        fetch(
            &self.wheel,
            &self.pip,
            &self.cache(),
            &straylight_core::NoProgress,
        )
    }

    fn runs(&self) -> usize {
        fs::read_to_string(self.root.path().join("runs"))
            .unwrap_or_default()
            .lines()
            .count()
    }

    /// Names in the cache, without the lock file.
    fn left_in_cache(&self) -> Vec<String> {
        let entries = fs::read_dir(self.cache()).unwrap().flatten();
        let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
        names.filter(|name| !name.contains(".lock")).collect()
    }
}

#[test]
fn the_wheel_is_fetched_once_and_unpacked() {
    let scene = Scene::new(b"library", b"library");
    let counted = Counted::default();
    let library = fetch(&scene.wheel, &scene.pip, &scene.cache(), &counted).unwrap();
    assert_eq!(fs::read(&library).unwrap(), b"library");
    assert!(!library.with_file_name("cache.json").exists());
    assert_eq!(counted.0.load(Ordering::Relaxed), scene.wheel.bytes);
    assert_eq!(scene.fetch().unwrap(), library);
    assert_eq!(scene.runs(), 1);
    assert_eq!(scene.left_in_cache(), ["openvino-2026.4.1"]);
}

#[test]
fn two_at_once_fetch_once() {
    let scene = Scene::new(b"library", b"library");
    std::thread::scope(|scope| {
        let threads = [(); 4].map(|()| scope.spawn(|| scene.fetch()));
        for thread in threads {
            thread.join().unwrap().unwrap();
        }
    });
    assert_eq!(scene.runs(), 1);
}

#[test]
fn a_library_that_its_record_does_not_know_is_refused() {
    let scene = Scene::new(b"tampered", b"library");
    let message = scene.fetch().unwrap_err().to_string();
    assert!(message.contains("RECORD"), "{message}");
    assert!(scene.left_in_cache().is_empty());
}

#[test]
fn a_wheel_with_another_hash_is_refused() {
    let mut scene = Scene::new(b"library", b"library");
    scene.wheel.sha256 = "00";
    let message = scene.fetch().unwrap_err().to_string();
    assert!(message.contains("SHA-256"), "{message}");
    assert!(scene.left_in_cache().is_empty());
}

#[test]
fn pip_s_own_words_are_in_the_error() {
    let scene = Scene::new(b"library", b"library");
    fs::remove_file(scene.root.path().join("source.whl")).unwrap();
    let error = scene.fetch().unwrap_err();
    assert!(error.to_string().contains("no such wheel"), "{error}");
    assert!(error.hint().contains("STRAYLIGHT_OPENVINO"));
    assert!(scene.left_in_cache().is_empty());
}

#[test]
fn an_incomplete_folder_is_replaced() {
    let scene = Scene::new(b"library", b"library");
    let libs = folder(&scene.cache()).join("libs");
    fs::create_dir_all(&libs).unwrap();
    fs::write(libs.join("half"), b"").unwrap();
    scene.fetch().unwrap();
    assert!(!libs.join("half").exists());
}

#[test]
fn a_python_without_pip_does_not_work() {
    assert!(!Pip::new("/no/such/python").works());
}
