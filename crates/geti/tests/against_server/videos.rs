//! Videos, made with ffmpeg, which these tests need.

use std::fs;
use std::path::Path;
use std::process::Command;

use straylight_core::NoProgress;
use straylight_geti::wire::MediaIdentifier;
use straylight_geti::{ErrorKind, image_annotation};
use straylight_server::SdkGeneration;

use crate::pets;
use crate::running::Running;

/// Two seconds of 5 frames of 64 x 48 pixels.
fn make_video(path: &Path) {
    let made = Command::new("ffmpeg")
        .args(["-v", "error", "-f", "lavfi", "-i"])
        .args(["testsrc=size=64x48:rate=5:duration=2", "-c:v", "mjpeg"])
        .arg(path)
        .status()
        .expect("this test needs ffmpeg: install it");
    assert!(made.success());
}

#[test]
fn videos_go_up_come_down_and_have_annotated_frames() {
    let server = Running::start(SdkGeneration::Current);
    let geti = server.connect();
    let project = pets(&geti);
    let api = geti.at(&project.id);
    let training = api.dataset(&api.training_dataset().unwrap().id);
    let source = server.path("source");
    fs::create_dir(&source).unwrap();
    make_video(&source.join("Möwe.avi"));
    fs::write(source.join("notes.txt"), b"no video").unwrap();
    let upload = training.upload_video_folder(&source, &NoProgress).unwrap();
    let video = upload.transfer.all().unwrap().remove(0);
    assert_eq!((video.name.as_str(), upload.ignored.len()), ("Möwe", 1));
    assert_eq!(video.media_information.frame_count, Some(10));
    assert_eq!(training.videos().unwrap(), std::slice::from_ref(&video));
    assert!(training.images().unwrap().is_empty());

    let cat = &project.pipeline.tasks[1].labels()[0];
    let annotation = image_annotation(&cat.id, &video);
    training
        .annotate_frame(&video.id, 4, vec![annotation])
        .unwrap();
    let scenes = training.video_annotations(&video.id).unwrap();
    let frame = MediaIdentifier::VideoFrame {
        video_id: video.id.clone(),
        frame_index: 4,
    };
    assert_eq!(scenes.len(), 1);
    assert_eq!(scenes[0].media_identifier, Some(frame));

    let target = server.path("target");
    let files = training
        .download_videos(std::slice::from_ref(&video), &target, &NoProgress)
        .unwrap();
    let file = files.all().unwrap().remove(0);
    assert!(file.ends_with("Möwe.avi"), "{}", file.display());
    let original = fs::read(source.join("Möwe.avi")).unwrap();
    assert_eq!(fs::read(file).unwrap(), original);

    training.delete_video(&video.id).unwrap();
    training.delete_video(&video.id).unwrap();
    assert!(training.videos().unwrap().is_empty());
    let fake = server.path("fake.mp4");
    fs::write(&fake, b"no video").unwrap();
    let error = training.upload_video_file(&fake).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused, "{error}");
    assert_eq!(error.error_code(), Some("invalid_media"));
}
