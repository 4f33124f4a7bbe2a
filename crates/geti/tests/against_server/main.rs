//! The client against our own server over TLS: the whole flow of a collecting program.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]
#![allow(unreachable_pub, reason = "a test is its own crate")]

mod running;
mod videos;

use std::fs;
use std::path::{Path, PathBuf};

use straylight_core::{NoProgress, RgbImage, TaskType};
use straylight_geti::{
    Certificates, ClassFolders, ClientOptions, DatasetSink, DownloadOptions, ErrorKind, Geti,
    ProjectDownload, ProjectPlan, ProjectUpload, Rendition, RetryPolicy, Secret, Stored, TaskPlan,
    image_annotation,
};
use straylight_image::{encode_jpeg, encode_png};
use straylight_server::SdkGeneration;

use crate::running::Running;

fn picture(red: u8) -> RgbImage {
    RgbImage::filled(64, 48, [red, 20, 30]).unwrap()
}

fn png(red: u8) -> Vec<u8> {
    encode_png(&picture(red)).unwrap()
}

fn pets(geti: &Geti) -> straylight_geti::wire::Project {
    let plan = ProjectPlan::single(
        "pets",
        TaskPlan::new(TaskType::Classification, ["cat", "dog"]),
    );
    geti.create_project(&plan.request(geti.version()).unwrap())
        .unwrap()
}

#[test]
fn a_collecting_program_runs_from_the_first_call_to_the_last() {
    let server = Running::start(SdkGeneration::Current);
    let geti = server.connect();
    assert_eq!(geti.balance().unwrap(), None);
    let project = pets(&geti);
    let found = geti.project_named("pets").unwrap().unwrap();
    assert_eq!(found.id, project.id);

    let api = geti.at(&project.id);
    let training = api.dataset(&api.training_dataset().unwrap().id);
    let image = training.upload_image(png(1), "Vögel am See.png").unwrap();
    assert_eq!(image.name, "Vögel am See");
    assert_eq!(
        (
            image.media_information.width,
            image.media_information.height
        ),
        (64, 48)
    );

    let sink = DatasetSink::in_project(&geti, "pets", "strays").unwrap();
    let again = DatasetSink::in_project(&geti, "pets", "strays").unwrap();
    assert_eq!(sink.dataset().id(), again.dataset().id());
    let stored = sink.store(png(2), "stray-1.jpg").unwrap();
    assert!(
        matches!(sink.store_again(png(2), "stray-1.jpg").unwrap(), Stored::AlreadyThere(m) if m.id == stored.media().id)
    );

    let cat = &project.pipeline.tasks[1].labels()[0];
    training
        .annotate(&image.id, vec![image_annotation(&cat.id, &image)])
        .unwrap();
    let scene = training.annotation(&image.id).unwrap().unwrap();
    assert_eq!(scene.annotations[0].labels[0].id.as_ref(), Some(&cat.id));
    assert!(
        sink.dataset()
            .annotation(&stored.media().id)
            .unwrap()
            .is_none()
    );

    let statistics = training.statistics().unwrap().overview;
    assert_eq!((statistics.images, statistics.annotated_images), (1, 1));
    assert!(!api.status().unwrap().is_training);
    assert!(geti.jobs(Some(&project.id)).unwrap().is_empty());
    assert!(api.model_groups().unwrap().is_empty());
    assert!(api.set_auto_training(false).unwrap());

    training.delete_image(&image.id).unwrap();
    training.delete_image(&image.id).unwrap();
    assert!(training.images().unwrap().is_empty());
    api.delete_dataset(sink.dataset().id()).unwrap();
    geti.delete_project(&project.id).unwrap();
    assert!(geti.projects().unwrap().is_empty());
}

#[test]
fn many_images_go_up_and_come_down_page_by_page() {
    let server = Running::start(SdkGeneration::Current);
    let options = ClientOptions {
        media_a_page: 7,
        ..ClientOptions::default()
    };
    let geti = Geti::connect_with(&server.details, options).unwrap();
    let project = pets(&geti);
    let api = geti.at(&project.id);
    let training = api.dataset(&api.training_dataset().unwrap().id);
    let source = server.path("source");
    fs::create_dir(&source).unwrap();
    for n in 0..25_u8 {
        let jpeg = encode_jpeg(&picture(n), 90).unwrap();
        let (name, bytes) = if n % 2 == 0 {
            ("jpg", jpeg)
        } else {
            ("png", png(n))
        };
        // Every extension is the wrong one.
        let wrong = if name == "jpg" { "PNG" } else { "jpeg" };
        fs::write(source.join(format!("{n:02}.{wrong}")), bytes).unwrap();
    }
    let upload = training.upload_image_folder(&source, &NoProgress).unwrap();
    assert_eq!(upload.transfer.all().unwrap().len(), 25);
    let images = training.images().unwrap();
    assert_eq!(images.len(), 25);
    let folder = server.path("images");
    let options = DownloadOptions::default();
    let files = training
        .download_images(&images, &folder, options, &NoProgress)
        .unwrap();
    assert_eq!(files.all().unwrap().len(), 25);
    assert_eq!(fs::read(folder.join("01.png")).unwrap(), png(1));
    assert!(folder.join("02.jpg").is_file());
    let thumbnails = DownloadOptions {
        rendition: Rendition::Thumbnail,
        ..DownloadOptions::default()
    };
    let small = server.path("thumbnails");
    let files = training
        .download_images(&images, &small, thumbnails, &NoProgress)
        .unwrap();
    assert_eq!(files.all().unwrap().len(), 25);
}

#[test]
fn class_folders_become_a_project_that_can_be_copied() {
    let server = Running::start(SdkGeneration::Current);
    let geti = server.connect();
    let tree = server.path("tree");
    for (class, red) in [("cat", 1), ("cat", 2), ("dog", 3)] {
        fs::create_dir_all(tree.join(class)).unwrap();
        fs::write(tree.join(class).join(format!("{red}.png")), png(red)).unwrap();
    }
    let folders = ClassFolders::read(&tree).unwrap();
    let (project, images) = geti
        .create_project_from_folders("tree", &folders, false, &NoProgress)
        .unwrap();
    assert_eq!(images.all().unwrap().len(), 3);
    let api = geti.at(&project.id);
    let strays = api.dataset(&api.ensure_dataset("strays").unwrap().id);
    strays.upload_image(png(9), "9.png").unwrap();

    let folder = server.path("download");
    let downloaded = api
        .download_to(&folder, ProjectDownload::default(), &NoProgress)
        .unwrap();
    assert_eq!(
        (
            downloaded.media.done.len(),
            downloaded.annotations.done.len()
        ),
        (4, 3)
    );
    let options = ProjectUpload {
        name: Some("copy".into()),
        auto_training: false,
    };
    let copy = geti.upload_project(&folder, &options, &NoProgress).unwrap();
    assert_eq!((copy.media.done.len(), copy.annotations.done.len()), (4, 3));
    let second = server.path("second");
    let copy = geti.at(&copy.project.id);
    copy.download_to(&second, ProjectDownload::default(), &NoProgress)
        .unwrap();
    for path in [
        "annotations/1.json",
        "annotations/3.json",
        "images/strays/9.png",
    ] {
        assert_eq!(
            fs::read(folder.join(path)).unwrap(),
            fs::read(second.join(path)).unwrap()
        );
    }
}

fn deploys(generation: SdkGeneration) {
    let server = Running::start(generation);
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../assets/demo/deployment");
    straylight_server::import_deployment(&server.store, &demo).unwrap();
    let geti = server.connect();
    let project = geti.projects().unwrap().remove(0);
    let api = geti.at(&project.id);
    let active = api.active_models().unwrap();
    assert_eq!(active.len(), 1);
    let image = png(1);
    api.dataset(&api.training_dataset().unwrap().id)
        .upload_image(image, "a.png")
        .unwrap();
    let root = server.path("deployed");
    api.deploy_active(true, &root, &NoProgress).unwrap();
    let title = &project.pipeline.tasks.last().unwrap().title;
    for name in ["model.xml", "model.bin"] {
        let path = Path::new(title).join("model").join(name);
        let original = find(&demo, name);
        assert_eq!(
            fs::read(root.join("deployment").join(path)).unwrap(),
            fs::read(original).unwrap()
        );
    }
}

/// The only file of this name below a folder.
fn find(folder: &Path, name: &str) -> PathBuf {
    let entries = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let search = |path: PathBuf| {
        let found = if path.is_dir() {
            find(&path, name)
        } else {
            path
        };
        (found.is_file() && found.ends_with(name)).then_some(found)
    };
    entries.into_iter().find_map(search).unwrap_or_default()
}

#[test]
fn a_deployment_comes_as_it_was_imported() {
    deploys(SdkGeneration::Current);
}

#[test]
fn a_deployment_comes_from_the_older_generation_as_well() {
    deploys(SdkGeneration::Legacy);
}

#[test]
fn a_certificate_that_is_not_trusted_and_a_wrong_token_are_told_apart() {
    let server = Running::start(SdkGeneration::Current);
    let options = ClientOptions {
        retry: RetryPolicy::never(),
        ..ClientOptions::default()
    };
    let mut public = server.details.clone();
    public.certificates = Certificates::Public;
    let error = Geti::connect_with(&public, options.clone()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Tls, "{error}");
    assert!(error.hint().unwrap().contains("CA_FILE"));

    let mut unchecked = server.details.clone();
    unchecked.certificates = Certificates::Unchecked;
    Geti::connect_with(&unchecked, options.clone()).unwrap();

    let mut wrong = server.details.clone();
    wrong.token = Secret::new("geti_pat_wrong");
    let error = Geti::connect_with(&wrong, options).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Login, "{error}");
    assert!(!format!("{error:?}").contains("geti_pat_wrong"));
}

#[test]
fn what_the_server_refuses_is_told_with_its_own_code() {
    let server = Running::start(SdkGeneration::Current);
    let geti = server.connect();
    let project = pets(&geti);
    let api = geti.at(&project.id);
    let training = api.dataset(&api.training_dataset().unwrap().id);
    let mut tiny = b"\x89PNG\r\n\x1a\n".to_vec();
    tiny.extend([0; 64]);
    let error = training.upload_image(tiny, "broken.png").unwrap_err();
    assert_eq!(
        (error.status(), error.error_code()),
        (Some(415), Some("invalid_media"))
    );
    api.create_dataset("strays").unwrap();
    let error = api.create_dataset("strays").unwrap_err();
    assert_eq!(error.error_code(), Some("dataset_already_exists"));
    let error = geti.project("0123456789abcdef01234567").unwrap_err();
    assert_eq!(error.error_code(), Some("project_not_found"));
    let error = geti.job("0123456789abcdef01234567").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}
