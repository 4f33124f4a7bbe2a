//! Videos and streams: the real ffmpeg, which these tests need, and a stand-in for what goes wrong.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]
#![cfg(unix)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use straylight_core::RgbImage;
use straylight_sources::{
    SourceErrorKind, SourceOptions, Sourced, Spec, VideoWriter, frame_rate, open, open_spec,
};

/// A program cannot be started while it is written, and a process that another test forks in
/// that moment keeps it open: one test after the other.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Two seconds at 25 frames a second, 64 x 48 pixels.
fn video(folder: &Path) -> String {
    let path = folder.join("clip.mp4");
    let source = "testsrc=size=64x48:rate=25:duration=2";
    let made = Command::new("ffmpeg")
        .args([
            "-loglevel",
            "error",
            "-f",
            "lavfi",
            "-i",
            source,
            "-metadata",
        ])
        .args(["creation_time=2024-05-06T07:08:09Z", "-pix_fmt", "yuv420p"])
        .arg(&path)
        .status();
    assert!(made.expect("this test needs ffmpeg: install it").success());
    path.to_str().unwrap().to_owned()
}

fn good(text: &str, options: &SourceOptions) -> Vec<Sourced> {
    open(text, options).unwrap().map(Result::unwrap).collect()
}

#[test]
fn a_video_gives_every_frame_with_its_time() {
    let _alone = alone();
    let scratch = tempfile::tempdir().unwrap();
    let clip = video(scratch.path());
    let frames = good(&clip, &SourceOptions::default());
    assert_eq!(frames.len(), 50);
    let last = &frames[49];
    assert_eq!(
        (last.frame.image().width(), last.frame.image().height()),
        (64, 48)
    );
    assert_eq!(last.frame.name(), "clip_000049");
    assert_eq!(last.place, format!("{clip} at 1.960 s"));
    assert_eq!(
        last.frame.captured_at().to_string(),
        "2024-05-06T07:08:10.96Z"
    );
}

#[test]
fn rate_stride_start_and_end_choose_frames() {
    let _alone = alone();
    let scratch = tempfile::tempdir().unwrap();
    let clip = video(scratch.path());
    let count = |options: SourceOptions| good(&clip, &options).len();
    let all = SourceOptions::default;
    assert_eq!(
        count(SourceOptions {
            fps: Some(5.0),
            ..all()
        }),
        10
    );
    assert_eq!(
        count(SourceOptions {
            stride: 10,
            ..all()
        }),
        5
    );
    assert_eq!(
        count(SourceOptions {
            fps: Some(10.0),
            stride: 4,
            ..all()
        }),
        5
    );
    let second = Some(Duration::from_secs(1));
    assert_eq!(
        count(SourceOptions {
            start: second,
            ..all()
        }),
        25
    );
    let end = Some(Duration::from_millis(1400));
    assert_eq!(
        count(SourceOptions {
            start: second,
            end,
            ..all()
        }),
        10
    );
    let tenth = &good(
        &clip,
        &SourceOptions {
            stride: 10,
            ..all()
        },
    )[1];
    assert_eq!(tenth.frame.name(), "clip_000010");
    assert!(tenth.place.ends_with("at 0.400 s"), "{}", tenth.place);
}

#[test]
fn a_damaged_video_says_what_ffmpeg_says() {
    let _alone = alone();
    let scratch = tempfile::tempdir().unwrap();
    let path = scratch.path().join("a.mp4");
    fs::write(&path, b"\0\0\0\x20ftypisom and then nothing").unwrap();
    let mut frames = open(path.to_str().unwrap(), &SourceOptions::default()).unwrap();
    let error = frames.next().unwrap().unwrap_err();
    assert!(matches!(error.kind(), SourceErrorKind::Video(_)), "{error}");
    assert!(error.to_string().contains("a.mp4"), "{error}");
    assert!(frames.next().is_none());
}

/// A program that stands in for ffmpeg: answers `-version`, else runs some shell commands.
fn stand_in(folder: &Path, commands: &str) -> PathBuf {
    let path = folder.join("ffmpeg");
    let version = "[ \"$1\" = -version ] && echo ffmpeg version 6.0 && exit";
    fs::write(&path, format!("#!/bin/sh\n{version}\n{commands}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}

const FRAME: &str = "printf 'P6\\n1 1\\n255\\nabc'";

fn options(ffmpeg: PathBuf) -> SourceOptions {
    SourceOptions {
        ffmpeg,
        backoff: Duration::ZERO,
        reconnects: 2,
        ..SourceOptions::default()
    }
}

fn stream() -> Spec {
    Spec::Stream("rtsp://me:secret@camera/1".into())
}

#[test]
fn a_missing_program_is_told_with_the_way_out() {
    let _alone = alone();
    let options = options("/no/such/ffmpeg".into());
    let error = open_spec(stream(), &options)
        .unwrap()
        .next()
        .unwrap()
        .unwrap_err();
    let text = error.to_string();
    assert!(
        matches!(error.kind(), SourceErrorKind::NoFfmpeg(_)),
        "{text}"
    );
    assert!(
        text.contains("apt install ffmpeg") && !text.contains("secret"),
        "{text}"
    );
}

#[test]
fn a_stream_that_breaks_off_is_tried_again_and_given_up() {
    let _alone = alone();
    let scratch = tempfile::tempdir().unwrap();
    // The first run gives two frames, later ones none.
    let commands = format!(
        "cd \"$(dirname \"$0\")\"\nif [ ! -e ran ]; then touch ran; {FRAME}; {FRAME}; fi\n\
         echo \"rtsp://me:secret@camera/1: Connection refused\" >&2\nexit 1"
    );
    let options = options(stand_in(scratch.path(), &commands));
    let told: Vec<String> = open_spec(stream(), &options)
        .unwrap()
        .map(|sourced| match sourced {
            Ok(sourced) => sourced.frame.name().to_owned(),
            Err(error) => error.to_string(),
        })
        .collect();
    let reason = "rtsp://***@camera/1: Connection refused";
    assert_eq!(told.len(), 5, "{told:#?}");
    assert_eq!(told[..2], ["camera-1_000000", "camera-1_000001"]);
    for interrupted in &told[2..4] {
        assert!(
            interrupted.contains(&format!("it broke off ({reason}); trying")),
            "{interrupted}"
        );
    }
    assert!(told[4].contains("2 more attempts failed"), "{}", told[4]);
}

#[test]
fn a_stream_that_hangs_is_ended_when_asked() {
    let _alone = alone();
    let scratch = tempfile::tempdir().unwrap();
    let hang = format!("{FRAME}\nexec tail -f /dev/null");
    let options = options(stand_in(scratch.path(), &hang));
    let mut frames = open_spec(stream(), &options).unwrap();
    frames.next().unwrap().unwrap();
    frames.stop().ask();
    assert!(frames.next().is_none());
}

#[test]
fn frames_that_end_in_the_middle_are_an_error() {
    let _alone = alone();
    let scratch = tempfile::tempdir().unwrap();
    let commands = format!("{FRAME}\nprintf 'P6\\n9 9\\n255\\nabc'");
    let options = options(stand_in(scratch.path(), &commands));
    let clip = scratch.path().join("a.mp4");
    fs::write(&clip, b"").unwrap();
    let outcomes: Vec<_> = open_spec(Spec::Video(clip), &options).unwrap().collect();
    assert!(outcomes[0].is_ok() && outcomes.len() == 2, "{outcomes:?}");
    let error = outcomes[1].as_ref().unwrap_err();
    let is_incomplete = matches!(error.kind(), SourceErrorKind::Incomplete { frames: 1, .. });
    assert!(is_incomplete, "{error}");
}

fn media(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/media");
    path.join(name).to_str().unwrap().to_owned()
}

/// Milliseconds from the first frame to each.
fn times(frames: &[Sourced]) -> Vec<i64> {
    let first = frames[0].frame.captured_at();
    let passed =
        |frame: &Sourced| frame.frame.captured_at().as_millisecond() - first.as_millisecond();
    frames.iter().map(passed).collect()
}

fn shown_at(frames: &[Sourced]) -> Vec<&str> {
    let time = |frame: &'_ Sourced| -> usize { frame.place.rfind(" at ").unwrap() + 4 };
    frames
        .iter()
        .map(|frame| &frame.place[time(frame)..])
        .collect()
}

#[test]
fn frames_have_the_times_at_which_a_player_shows_them() {
    let _alone = alone();
    let clip = media("vfr.mp4");
    let all = good(&clip, &SourceOptions::default());
    assert_eq!(times(&all), [0, 100, 200, 1000, 1100, 3000]);
    let wanted = [
        "0.000 s", "0.100 s", "0.200 s", "1.000 s", "1.100 s", "3.000 s",
    ];
    assert_eq!(shown_at(&all), wanted);
    // Each second gives its first frame; seconds without one give none.
    let one_a_second = SourceOptions {
        fps: Some(1.0),
        ..SourceOptions::default()
    };
    let frames = good(&clip, &one_a_second);
    assert_eq!(shown_at(&frames), ["0.000 s", "1.000 s", "3.000 s"]);
    let second = SourceOptions {
        stride: 2,
        ..SourceOptions::default()
    };
    assert_eq!(
        shown_at(&good(&clip, &second)),
        ["0.000 s", "0.200 s", "1.100 s"]
    );
    let later = SourceOptions {
        start: Some(Duration::from_millis(500)),
        ..SourceOptions::default()
    };
    assert_eq!(
        shown_at(&good(&clip, &later)),
        ["1.000 s", "1.100 s", "3.000 s"]
    );
}

/// Makes a video of ten frames a second from which some frames are left out.
fn uneven(folder: &Path, name: &str, codec: &[&str]) -> String {
    let path = folder.join(name);
    let made = Command::new("ffmpeg")
        .args(["-loglevel", "error", "-f", "lavfi", "-i"])
        .arg("testsrc=size=64x48:rate=10:duration=4")
        .args(["-vf", "select='not(between(n,3,9)+between(n,12,29))'"])
        .args(["-fps_mode", "passthrough", "-pix_fmt", "yuv420p"])
        .args(codec)
        .arg(&path)
        .status();
    assert!(made.unwrap().success(), "{name}");
    path.to_str().unwrap().to_owned()
}

#[test]
fn uneven_times_are_right_in_every_container_with_and_without_b_frames() {
    let _alone = alone();
    let scratch = tempfile::tempdir().unwrap();
    let ten: Vec<i64> = (30..40).map(|n| n * 100).collect();
    let wanted: Vec<i64> = [0, 100, 200, 1000, 1100].into_iter().chain(ten).collect();
    let b_frames = ["-c:v", "libx264", "-bf", "3"];
    for (name, codec) in [
        ("a.mp4", &b_frames[..]),
        ("b.mkv", &b_frames[..]),
        ("c.ts", &b_frames[..]),
        ("d.mov", &["-c:v", "libx264", "-bf", "0"][..]),
        ("e.webm", &["-c:v", "libvpx"][..]),
        // A file that begins at 7 s.
        ("f.mkv", &["-c:v", "libx264", "-output_ts_offset", "7"][..]),
        (
            "g.ts",
            &["-c:v", "mpeg2video", "-output_ts_offset", "7"][..],
        ),
    ] {
        let clip = uneven(scratch.path(), name, codec);
        let frames = good(&clip, &SourceOptions::default());
        let off: Vec<i64> = times(&frames)
            .iter()
            .zip(&wanted)
            .map(|(time, wanted)| (time - wanted).abs())
            .collect();
        assert_eq!(frames.len(), wanted.len(), "{name}");
        // Matroska counts milliseconds, and MPEG-TS 90,000 ticks a second.
        assert!(
            off.iter().all(|off| *off <= 1),
            "{name}: {:?}",
            times(&frames)
        );
        assert_eq!(shown_at(&frames)[0], "0.000 s", "{name}");
    }
}

#[test]
fn a_video_that_is_held_upright_comes_upright() {
    let _alone = alone();
    let frames = good(&media("portrait.mp4"), &SourceOptions::default());
    let image = frames[0].frame.image();
    assert_eq!((image.width(), image.height()), (48, 64));
    let above = image.pixel(24, 8).unwrap();
    let below = image.pixel(24, 56).unwrap();
    assert!(above[2] > 150 && above[0] < 100, "blue above: {above:?}");
    assert!(below[0] > 150 && below[2] < 100, "red below: {below:?}");
}

#[test]
fn a_video_that_is_cut_gives_its_frames_and_says_so() {
    let _alone = alone();
    let scratch = tempfile::tempdir().unwrap();
    let check = |clip: &str, least: usize, most: usize| {
        let (mut given, mut errors) = (0, Vec::new());
        for sourced in open(clip, &SourceOptions::default()).unwrap() {
            match sourced {
                Ok(_) => given += 1,
                Err(error) => errors.push(error),
            }
        }
        assert_eq!(errors.len(), 1, "{clip}: {given} frames, {errors:?}");
        assert!((least..=most).contains(&given), "{clip}: {given}");
        match errors[0].kind() {
            SourceErrorKind::Incomplete { frames, .. } => assert_eq!(*frames, given as u64),
            other => panic!("{clip}: {other}"),
        }
    };
    check(&media("cut.ts"), 11, 11);
    let whole = |name: &str, options: &[&str]| -> PathBuf {
        let path = scratch.path().join(name);
        let made = Command::new("ffmpeg")
            .args(["-loglevel", "error", "-f", "lavfi", "-i"])
            .arg("testsrc=size=320x240:rate=10:duration=4")
            .args(["-pix_fmt", "yuv420p", "-g", "5"])
            .args(options)
            .arg(&path)
            .status();
        assert!(made.unwrap().success(), "{name}");
        path
    };
    for (name, options) in [
        ("a.mp4", &["-movflags", "+faststart"][..]),
        ("b.mkv", &["-cluster_time_limit", "500"][..]),
        ("c.avi", &["-c:v", "mjpeg"][..]),
    ] {
        let path = whole(name, options);
        let clip = path.to_str().unwrap();
        assert_eq!(good(clip, &SourceOptions::default()).len(), 40, "{name}");
        let bytes = fs::read(&path).unwrap();
        fs::write(&path, &bytes[..bytes.len() * 6 / 10]).unwrap();
        check(clip, 5, 35);
    }
}

#[test]
fn a_video_without_its_index_is_refused() {
    let _alone = alone();
    let mut frames = open(&media("no-moov.mp4"), &SourceOptions::default()).unwrap();
    let error = frames.next().unwrap().unwrap_err();
    assert!(matches!(error.kind(), SourceErrorKind::Video(_)), "{error}");
    assert!(frames.next().is_none());
}

/// A clip of ten frames; the name's extension says its container.
fn clip(folder: &Path, name: &str, options: &[&str]) -> PathBuf {
    let path = folder.join(name);
    let made = Command::new("ffmpeg")
        .args(["-loglevel", "error", "-f", "lavfi", "-i"])
        .arg("testsrc=size=64x48:rate=25:duration=0.4")
        .args(options)
        .arg(&path)
        .status();
    assert!(made.unwrap().success(), "{name}");
    path
}

#[test]
fn a_text_that_calls_itself_a_video_opens_no_other_file() {
    let _alone = alone();
    let scratch = tempfile::tempdir().unwrap();
    clip(scratch.path(), "other.mp4", &[]);
    let concat = "ffconcat version 1.0\nfile other.mp4\n";
    let hls = "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nother.mp4\n#EXT-X-ENDLIST\n";
    for (name, text, kind) in [("a.mp4", concat, "`concat`"), ("b.mp4", hls, "`hls`")] {
        let path = scratch.path().join(name);
        fs::write(&path, text).unwrap();
        let given: Vec<_> = open(path.to_str().unwrap(), &SourceOptions::default())
            .unwrap()
            .collect();
        let [Err(error)] = &given[..] else {
            panic!("{name}: {given:?}")
        };
        assert!(
            matches!(error.kind(), SourceErrorKind::NotAVideo(reason) if reason.contains(kind)),
            "{error}"
        );
        assert_eq!(frame_rate(&path, &SourceOptions::default()), None, "{name}");
    }
}

#[test]
fn every_container_of_the_known_extensions_is_read() {
    let _alone = alone();
    let scratch = tempfile::tempdir().unwrap();
    for (name, options) in [
        ("a.mp4", &[][..]),
        ("a.m4v", &["-f", "mp4"]),
        ("a.mov", &[]),
        ("a.3gp", &["-c:v", "mpeg4"]),
        ("a.3g2", &["-c:v", "mpeg4"]),
        ("a.mkv", &[]),
        ("a.webm", &["-c:v", "libvpx"]),
        ("a.avi", &[]),
        ("a.mpg", &[]),
        ("a.mpeg", &[]),
        ("a.vob", &[]),
        ("a.m2v", &[]),
        ("a.ts", &[]),
        ("a.mts", &[]),
        ("a.m2ts", &[]),
        ("a.wmv", &[]),
        ("a.asf", &[]),
        ("a.flv", &[]),
        ("a.ogv", &[]),
        ("a.mxf", &[]),
        ("a.mjpeg", &[]),
        ("a.mjpg", &["-f", "mjpeg"]),
    ] {
        let path = clip(scratch.path(), name, options);
        let frames = good(path.to_str().unwrap(), &SourceOptions::default());
        assert_eq!(frames.len(), 10, "{name}");
    }
}

#[test]
fn a_frame_beyond_the_limit_ends_the_video_and_does_not_hang() {
    let _alone = alone();
    let scratch = tempfile::tempdir().unwrap();
    let clip = video(scratch.path());
    let mut options = SourceOptions::default();
    options.decode.limits.max_pixels = 1000;
    let errors: Vec<_> = open(&clip, &options).unwrap().collect();
    assert_eq!(errors.len(), 1);
    let error = errors[0].as_ref().unwrap_err().to_string();
    assert!(error.contains("limit on pixels"), "{error}");
}

#[test]
fn passwords_with_any_character_are_hidden_and_end_at_once() {
    let _alone = alone();
    for password in ["xq#zj", "x/q?zj", "xq@zj/", "77%", "xq%zzj"] {
        let address = format!("rtsp://admin:{password}@127.0.0.1:9/s");
        let options = SourceOptions::default();
        let said: Vec<String> = open(&address, &options)
            .unwrap()
            .map(|sourced| sourced.unwrap_err().to_string())
            .collect();
        assert_eq!(
            said.len(),
            1,
            "such an address never becomes right: {said:?}"
        );
        assert!(said[0].contains("rtsp://***@127.0.0.1:9/s"), "{}", said[0]);
        assert!(said[0].contains("write # as %23"), "{}", said[0]);
        for part in password.split(['#', '/', '?', '@', '%']).chain(["admin"]) {
            assert!(
                part.is_empty() || !said[0].contains(part),
                "{part}: {}",
                said[0]
            );
        }
    }
}

#[test]
fn a_camera_that_is_not_there_ends_at_once() {
    let _alone = alone();
    if !cfg!(target_os = "linux") {
        return;
    }
    let outcomes: Vec<_> = open("camera:97", &SourceOptions::default())
        .unwrap()
        .collect();
    assert_eq!(outcomes.len(), 1);
    let error = outcomes[0].as_ref().unwrap_err();
    assert!(matches!(error.kind(), SourceErrorKind::NoCamera), "{error}");
}

#[test]
fn a_camera_is_given_to_the_system_by_its_device() {
    let _alone = alone();
    let scratch = tempfile::tempdir().unwrap();
    let log = scratch.path().join("arguments");
    let commands = format!(
        "echo \"$@\" > '{}'\n{FRAME}\nexec tail -f /dev/null",
        log.display()
    );
    let options = options(stand_in(scratch.path(), &commands));
    let mut frames = open("camera:3", &options).unwrap();
    assert_eq!(
        frames.next().unwrap().unwrap().frame.name(),
        "camera3_000000"
    );
    let arguments = fs::read_to_string(log).unwrap();
    if cfg!(target_os = "linux") {
        assert!(arguments.contains("-f v4l2 -i /dev/video3"), "{arguments}");
    }
}

fn gray(level: u8) -> RgbImage {
    RgbImage::filled(31, 21, [level; 3]).unwrap()
}

#[test]
fn a_video_that_was_written_can_be_read() {
    let _alone = alone();
    let scratch = tempfile::tempdir().unwrap();
    let write = |name: &str| {
        let path = scratch.path().join(name);
        let ffmpeg = Path::new("ffmpeg");
        let mut writer = VideoWriter::create(ffmpeg, &path, (31, 21), 5.0).unwrap();
        for level in 0..10 {
            assert!(!path.exists(), "it appears when it is complete");
            writer.write(&gray(level * 20)).unwrap();
        }
        writer.finish().unwrap();
        path
    };
    let (first, second) = (write("a.mp4"), write("b.mp4"));
    assert_eq!(fs::read(&first).unwrap(), fs::read(second).unwrap());
    let options = SourceOptions::default();
    assert!((frame_rate(&first, &options).unwrap() - 5.0).abs() < 1e-6);
    let frames = good(first.to_str().unwrap(), &options);
    assert_eq!(frames.len(), 10);
    let image = frames[9].frame.image();
    assert_eq!(
        (image.width(), image.height()),
        (32, 22),
        "odd sides get an edge"
    );
    let level = i32::from(image.pixel(10, 10).unwrap()[0]);
    assert!((level - 180).abs() < 8, "{level}");
    assert_eq!(fs::read_dir(scratch.path()).unwrap().count(), 2);
}

#[test]
fn a_video_that_cannot_be_written_is_an_error_and_no_file() {
    let _alone = alone();
    let scratch = tempfile::tempdir().unwrap();
    let path = scratch.path().join("a.mp4");
    let create =
        |program: &str, path: &Path| VideoWriter::create(Path::new(program), path, (31, 21), 5.0);
    let error = create("no-such-program", &path).unwrap_err();
    assert!(error.kind().is_about_the_machine(), "{error}");
    let mut writer = create("ffmpeg", &path).unwrap();
    writer.write(&gray(1)).unwrap();
    let other = RgbImage::filled(30, 20, [0; 3]).unwrap();
    let error = writer.write(&other).unwrap_err();
    assert!(error.to_string().contains("30 x 20"), "{error}");
    drop(writer);
    let mut writer = create("ffmpeg", &scratch.path().join("a.nothing")).unwrap();
    // ffmpeg may take a frame before it gives up.
    let failed = (0..1000).find_map(|_| writer.write(&gray(1)).err());
    let error = failed.unwrap_or_else(|| writer.finish().unwrap_err());
    assert!(error.to_string().contains("a.nothing"), "{error}");
    let left: Vec<_> = fs::read_dir(scratch.path()).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
}
