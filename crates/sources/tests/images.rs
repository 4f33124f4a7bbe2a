//! Files, folders, patterns, lists and archives.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::fs::{self, File};
use std::io::{Cursor, Write};
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use straylight_core::{RgbImage, Timestamp};
use straylight_image::{DecodeLimits, DecodeOptions, encode_jpeg, encode_png};
use straylight_sources::{
    Content, Feed, Frames, Item, Sink, SourceError, SourceErrorKind, SourceOptions, Sourced, Stop,
    open, open_list,
};
use tempfile::TempDir;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// An image that says its number by its colour; the sizes differ so that times to decode do.
fn image(number: u8) -> RgbImage {
    let side = 20 + u32::from(number) * 37 % 200;
    RgbImage::filled(side, side, [number; 3]).unwrap()
}

fn png(number: u8) -> Vec<u8> {
    encode_png(&image(number)).unwrap()
}

/// `00.png` to `09.png`, a text, what is no image, a damaged one, a hidden one, a folder with one.
fn photos() -> TempDir {
    let scratch = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| fs::write(scratch.path().join(name), bytes).unwrap();
    for number in 0..10 {
        write(&format!("{number:02}.png"), &png(number));
    }
    write("03b.txt", b"not an image");
    write("03c.bin", b"not an image");
    write("05b.jpg", &encode_jpeg(&image(5), 90).unwrap()[..200]);
    write(".hidden.png", b"");
    fs::create_dir(scratch.path().join("07 inner")).unwrap();
    write("07 inner/a.PNG", &png(77));
    scratch
}

/// Numbers of good images; the places of errors with `!`, those of remarks with `~`.
fn told(frames: Frames) -> Vec<String> {
    let tell = |sourced: Result<Sourced, SourceError>| match sourced {
        Ok(sourced) => number(&sourced),
        Err(error) => {
            let mark = if error.kind().is_notice() { "~" } else { "!" };
            format!("{mark}{}", error.place().rsplit('/').next().unwrap())
        }
    };
    frames.map(tell).collect()
}

fn number(sourced: &Sourced) -> String {
    sourced.frame.image().pixel(0, 0).unwrap()[0].to_string()
}

fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

#[test]
fn a_folder_comes_in_order_with_its_bad_files_named() {
    let scratch = photos();
    let options = SourceOptions::default();
    let frames = open(&text(scratch.path()), &options).unwrap();
    let name = scratch.path().file_name().unwrap().to_str().unwrap();
    let remark = format!("~{name}");
    let wanted = "0 1 2 3 !03c.bin 4 5 !05b.jpg 6 77 7 8 9".split(' ');
    let wanted: Vec<&str> = wanted.chain([remark.as_str()]).collect();
    assert_eq!(told(frames), wanted);

    let flat = SourceOptions {
        recursive: false,
        ..SourceOptions::default()
    };
    let frames = open(&text(scratch.path()), &flat).unwrap();
    assert!(!told(frames).contains(&"77".to_owned()));
}

#[test]
fn frames_know_their_names_and_errors_their_reasons() {
    let scratch = photos();
    let source = text(scratch.path());
    let mut frames = open(&source, &SourceOptions::default()).unwrap();
    let first = frames.next().unwrap().unwrap();
    assert_eq!(first.frame.name(), "00");
    assert_eq!(first.place, text(&scratch.path().join("00.png")));
    assert!(first.frame.encoded().is_some());
    let error = frames.find_map(Result::err).unwrap();
    assert!(
        error.to_string().contains("03c.bin: this is no image"),
        "{error}"
    );
    assert!(error.kind().is_about_one_image());
    let remark = frames.filter_map(Result::err).last().unwrap().to_string();
    let wanted = "passed over 2 entries that are no pictures (1 .txt, 1 hidden)";
    assert!(remark.contains(wanted), "{remark}");
}

#[test]
fn a_folder_without_an_image_says_so() {
    let scratch = tempfile::tempdir().unwrap();
    let source = text(scratch.path());
    let errors = || -> Vec<String> {
        let frames = open(&source, &SourceOptions::default()).unwrap();
        frames.map(|f| f.unwrap_err().kind().to_string()).collect()
    };
    assert!(errors()[0].contains("it holds no image"), "{:?}", errors());
    fs::write(scratch.path().join("a.json"), "{}").unwrap();
    assert_eq!(errors().len(), 2, "{:?}", errors());
    assert!(errors()[0].contains("1 .json"), "{:?}", errors());
}

#[cfg(unix)]
#[test]
fn pipes_sockets_and_folders_are_named_and_never_opened() {
    let scratch = tempfile::tempdir().unwrap();
    let at = |name: &str| scratch.path().join(name);
    fs::write(at("a.png"), png(1)).unwrap();
    fs::create_dir(at("b.jpg")).unwrap();
    fs::write(at("b.jpg").join("inner.png"), png(2)).unwrap();
    let pipe = std::process::Command::new("mkfifo")
        .arg(at("c.jpg"))
        .status();
    assert!(pipe.unwrap().success());
    let _socket = std::os::unix::net::UnixListener::bind(at("d.png")).unwrap();
    std::os::unix::fs::symlink("/dev/zero", at("e.png")).unwrap();
    std::os::unix::fs::symlink(scratch.path(), at("f")).unwrap();
    let options = SourceOptions::default();
    let name = text(Path::new(scratch.path().file_name().unwrap()));
    let remark = format!("~{name}");
    let wanted = ["1", "2", "!c.jpg", "!d.png", "!e.png", &remark];
    assert_eq!(told(open(&text(scratch.path()), &options).unwrap()), wanted);
    let wanted = ["1", "!b.jpg", "!c.jpg", "!d.png", "!e.png"];
    assert_eq!(told(open(&text(&at("*.*g")), &options).unwrap()), wanted);
    let list = format!("{}\n{}\n", text(&at("c.jpg")), text(&at("b.jpg")));
    let listed = told(open_list(Cursor::new(list), &options));
    assert_eq!(listed, ["!c.jpg", "!b.jpg"]);
    let error = open(&text(&at("c.jpg")), &options).unwrap_err().to_string();
    assert!(error.contains("a named pipe, not a file"), "{error}");
    let watch = SourceOptions {
        watch: Some(Duration::from_millis(1)),
        ..SourceOptions::default()
    };
    let mut frames = open(&text(scratch.path()), &watch).unwrap();
    let mut seen: Vec<String> = frames
        .by_ref()
        .take(6)
        .map(|sourced| match sourced {
            Ok(sourced) => number(&sourced),
            Err(error) => error.place().rsplit('/').next().unwrap().to_owned(),
        })
        .collect();
    frames.stop().ask();
    seen.sort();
    let mut wanted = ["1", "2", &*name, "c.jpg", "d.png", "e.png"];
    wanted.sort_unstable();
    assert_eq!(seen, wanted);
}

#[test]
fn formats_that_are_not_read_are_named_whatever_the_file_is_called() {
    let media = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/media");
    for (file, format) in [
        ("IMG_0001.HEIC", "HEIC"),
        ("IMG_0002.jpg", "HEIC"),
        ("x.avif", "AVIF"),
    ] {
        let source = text(&media.join(file));
        let mut frames = open(&source, &SourceOptions::default()).unwrap();
        let error = frames.next().unwrap().unwrap_err().to_string();
        let wanted = format!("a picture in the format {format}, which Straylight does not read");
        assert!(error.contains(&wanted) && error.contains(file), "{error}");
    }
}

#[test]
fn a_stride_counts_good_files_and_keeps_errors() {
    let scratch = tempfile::tempdir().unwrap();
    for number in 0..7 {
        fs::write(scratch.path().join(format!("{number}.png")), png(number)).unwrap();
    }
    let options = SourceOptions {
        stride: 3,
        ..SourceOptions::default()
    };
    assert_eq!(
        told(open(&text(scratch.path()), &options).unwrap()),
        ["0", "3", "6"]
    );
}

#[test]
fn patterns_sequences_lists_and_single_files() {
    let scratch = photos();
    let at = |name: &str| text(&scratch.path().join(name));
    let options = SourceOptions::default();
    assert_eq!(
        told(open(&at("0[1-3].png"), &options).unwrap()),
        ["1", "2", "3"]
    );
    assert_eq!(told(open(&at("**/*.PNG"), &options).unwrap()), ["77"]);
    assert_eq!(told(open(&at("*.bmp"), &options).unwrap()), ["!*.bmp"]);
    assert_eq!(told(open(&at("%02d.png"), &options).unwrap()).len(), 10);
    assert_eq!(told(open(&at("x%d.png"), &options).unwrap()), ["!x%d.png"]);
    assert_eq!(told(open(&at("04.png"), &options).unwrap()), ["4"]);
    let list = format!("{}\r\n\n{}\n{}", at("08.png"), at("gone.png"), at("01.png"));
    assert_eq!(
        told(open_list(Cursor::new(list), &options)),
        ["8", "!gone.png", "1"]
    );
    let missing = open(&at("gone"), &options).unwrap_err();
    assert!(
        matches!(missing.kind(), SourceErrorKind::NotFound),
        "{missing}"
    );
}

#[test]
fn archives_are_read_without_unpacking() {
    let scratch = tempfile::tempdir().unwrap();
    let zip = scratch.path().join("a.zip");
    let mut writer = ZipWriter::new(File::create(&zip).unwrap());
    let files = [
        ("b/1.png", png(1)),
        ("__MACOSX/x.png", png(9)),
        ("2.txt", b"x".to_vec()),
        ("3.png", png(3)),
    ];
    for (name, bytes) in &files {
        writer
            .start_file(*name, SimpleFileOptions::default())
            .unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer
        .add_directory("empty", SimpleFileOptions::default())
        .unwrap();
    writer.finish().unwrap();

    let mut builder = tar::Builder::new(Vec::new());
    for (name, bytes) in &files {
        let mut header = tar::Header::new_ustar();
        header.set_size(bytes.len() as u64);
        builder
            .append_data(&mut header, name, bytes.as_slice())
            .unwrap();
    }
    let bytes = builder.into_inner().unwrap();
    let tar = scratch.path().join("a.tar");
    fs::write(&tar, &bytes).unwrap();
    let compressed = scratch.path().join("a.tgz");
    let mut encoder = GzEncoder::new(File::create(&compressed).unwrap(), Compression::fast());
    encoder.write_all(&bytes).unwrap();
    encoder.finish().unwrap();

    for archive in [&zip, &tar, &compressed] {
        let frames = open(&text(archive), &SourceOptions::default()).unwrap();
        let places: Vec<String> = frames
            .map(|sourced| match sourced {
                Ok(sourced) => sourced.place,
                Err(error) => error.to_string(),
            })
            .collect();
        assert_eq!(places.len(), 3, "{places:#?}");
        assert_eq!(places[0], format!("{}: b/1.png", archive.display()));
        assert_eq!(places[1], format!("{}: 3.png", archive.display()));
        let wanted = "2 entries that are no pictures (1 .txt, 1 hidden)";
        assert!(places[2].contains(wanted), "{}", places[2]);
    }
}

#[test]
fn damaged_archives_end_with_an_error() {
    let scratch = tempfile::tempdir().unwrap();
    let path = scratch.path().join("a.zip");
    fs::write(&path, b"PK\x03\x04 and then nothing").unwrap();
    let errors: Vec<_> = open(&text(&path), &SourceOptions::default())
        .unwrap()
        .collect();
    assert!(matches!(
        errors[0].as_ref().unwrap_err().kind(),
        SourceErrorKind::Archive(_)
    ));
    let path = scratch.path().join("a.tgz");
    fs::write(&path, b"\x1f\x8b and then nothing").unwrap();
    let errors: Vec<_> = open(&text(&path), &SourceOptions::default())
        .unwrap()
        .collect();
    assert!(matches!(
        errors[0].as_ref().unwrap_err().kind(),
        SourceErrorKind::Archive(_)
    ));
}

#[test]
fn an_entry_that_claims_little_and_holds_much_is_cut_off() {
    let scratch = tempfile::tempdir().unwrap();
    let path = scratch.path().join("bomb.zip");
    let mut writer = ZipWriter::new(File::create(&path).unwrap());
    writer
        .start_file("a.png", SimpleFileOptions::default())
        .unwrap();
    writer.write_all(&vec![0; 10_000_000]).unwrap();
    writer.finish().unwrap();
    let limits = DecodeLimits {
        max_file_bytes: 1000,
        ..DecodeLimits::default()
    };
    let options = SourceOptions {
        decode: DecodeOptions {
            limits,
            scaled: None,
        },
        ..SourceOptions::default()
    };
    let error = open(&text(&path), &options)
        .unwrap()
        .next()
        .unwrap()
        .unwrap_err();
    assert!(error.to_string().contains("limit of 1000 bytes"), "{error}");
}

/// Counts how many images were asked of it; they have this width, and a height of 1,000 or 1.
struct Endless(Arc<AtomicUsize>, u32);

impl Feed for Endless {
    fn feed(self: Box<Self>, sink: Sink<'_>) {
        loop {
            let count = self.0.fetch_add(1, Ordering::SeqCst);
            let height = if self.1 > 1 { 1_000 } else { 1 };
            let image = RgbImage::filled(self.1, height, [count as u8; 3]).unwrap();
            let captured_at = Timestamp::UNIX_EPOCH;
            let content = Content::Pixels {
                image,
                name: count.to_string(),
                captured_at,
            };
            if sink(Ok(Item {
                place: String::new(),
                content,
            })) == ControlFlow::Break(())
            {
                return;
            }
        }
    }
}

#[test]
fn no_more_is_read_ahead_than_allowed() {
    let count = Arc::new(AtomicUsize::new(0));
    let options = SourceOptions {
        ahead: 4,
        workers: 2,
        ..SourceOptions::default()
    };
    let mut frames = Frames::start(
        Box::new(Endless(Arc::clone(&count), 1)),
        &options,
        Stop::default(),
    );
    for wanted in 0..100 {
        assert_eq!(
            frames.next().unwrap().unwrap().frame.name(),
            wanted.to_string()
        );
        // Four in the queue, one taken, and one with which the feed waits.
        let read = count.load(Ordering::SeqCst);
        assert!(
            read <= wanted + 1 + 4 + 2,
            "{read} read when {wanted} were taken"
        );
    }
}

#[test]
fn large_images_come_in_order_although_few_are_decoded_ahead() {
    let count = Arc::new(AtomicUsize::new(0));
    let options = SourceOptions {
        ahead: 16,
        workers: 4,
        ..SourceOptions::default()
    };
    // 12 MB each: three fill what may wait.
    let feed = Box::new(Endless(Arc::clone(&count), 4_000));
    let mut frames = Frames::start(feed, &options, Stop::default());
    for wanted in 0..60 {
        let frame = frames.next().unwrap().unwrap().frame;
        assert_eq!(frame.name(), wanted.to_string());
    }
    // Nobody takes any more: those who decode wait, and end.
    drop(frames);
}

#[test]
fn a_source_that_is_stopped_delivers_what_it_has_and_ends() {
    let count = Arc::new(AtomicUsize::new(0));
    let options = SourceOptions {
        ahead: 4,
        ..SourceOptions::default()
    };
    let mut frames = Frames::start(Box::new(Endless(count, 1)), &options, Stop::default());
    frames.next().unwrap().unwrap();
    frames.stop().ask();
    let names: Vec<usize> = frames
        .map(|f| f.unwrap().frame.name().parse().unwrap())
        .collect();
    assert!(names.len() <= 6, "{names:?}");
    assert!(names.iter().copied().eq(1..=names.len()), "{names:?}");
}

#[test]
fn a_watched_folder_gives_new_files_until_it_is_stopped() {
    let scratch = tempfile::tempdir().unwrap();
    let write = |number: u8| {
        // As a careful writer does; a half-written file must not be taken either way.
        let path = scratch.path().join(format!("{number}.png"));
        fs::write(&path, png(number)).unwrap();
    };
    write(1);
    let watch = Some(Duration::from_millis(1));
    let options = SourceOptions {
        watch,
        ..SourceOptions::default()
    };
    let mut frames = open(&text(scratch.path()), &options).unwrap();
    assert_eq!(number(&frames.next().unwrap().unwrap()), "1");
    write(2);
    assert_eq!(number(&frames.next().unwrap().unwrap()), "2");
    frames.stop().ask();
    assert!(frames.next().is_none());
}

/// A reader whose next line never comes.
struct Silent(std::sync::mpsc::Receiver<()>);

impl std::io::Read for Silent {
    fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
        let _ = self.0.recv();
        Ok(0)
    }
}

#[test]
fn a_list_that_waits_for_its_next_line_can_be_ended() {
    let (line, lines) = std::sync::mpsc::channel();
    let input = std::io::BufReader::new(Silent(lines));
    let mut frames = open_list(input, &SourceOptions::default());
    frames.stop().ask();
    assert!(frames.next().is_none());
    drop(line);
}
