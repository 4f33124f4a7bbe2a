//! Projects of class folders, and projects as folders.

use std::fs;

use straylight_core::NoProgress;
use straylight_geti::{
    ClassFolders, ErrorKind, ProjectDownload, ProjectUpload, Rendition, image_annotation,
};

use crate::common::{connect, jpeg, png};
use crate::session::{VERSION, pets, short};
use crate::stub;

#[test]
fn a_project_is_made_of_class_folders() {
    let (server, _state) = stub::start(VERSION);
    let (geti, _) = connect(&server);
    let root = tempfile::tempdir().unwrap();
    for path in ["cat/1.png", "cat/2.png", "dog/1.png"] {
        let path = root.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, png(&path.display().to_string())).unwrap();
    }
    server.take_calls();
    let folders = ClassFolders::read(root.path()).unwrap();
    let (project, images) = geti
        .create_project_from_folders("pets", &folders, true, &NoProgress)
        .unwrap();
    let images = images.all().unwrap();
    assert_eq!(images.len(), 3);
    let calls = short(server.take_calls());
    assert_eq!(
        calls[..4],
        [
            "POST {W}/projects",
            "GET {W}/projects/{id}/status",
            "GET {W}/projects/{id}/project_configuration",
            "PATCH {W}/projects/{id}/project_configuration",
        ]
    );
    let dataset = geti
        .at(&project.id)
        .dataset(&project.datasets.as_ref().unwrap()[0].id);
    let scene = dataset.annotation(&images[2].id).unwrap().unwrap();
    let dog = &project.pipeline.tasks[1].labels()[1];
    assert_eq!(dog.name, "dog");
    assert_eq!(scene.annotations[0].labels[0].id.as_ref(), Some(&dog.id));
}

#[test]
fn a_project_that_was_downloaded_can_be_uploaded_again() {
    let (server, _state) = stub::start(VERSION);
    let (geti, _) = connect(&server);
    let project = pets(&geti);
    let cat = &project.pipeline.tasks[1].labels()[0].id;
    let api = geti.at(&project.id);
    let training = api.dataset(&project.datasets.as_ref().unwrap()[0].id);
    let strays = api.dataset(&api.ensure_dataset("strays / 1").unwrap().id);
    let image = training.upload_image(png("1"), "a.png").unwrap();
    training
        .annotate(&image.id, vec![image_annotation(cat, &image)])
        .unwrap();
    strays.upload_image(jpeg("2"), "a.jpg").unwrap();

    let folder = tempfile::tempdir().unwrap();
    let options = ProjectDownload::default();
    let downloaded = api
        .download_to(folder.path(), options, &NoProgress)
        .unwrap();
    assert_eq!(
        (
            downloaded.media.done.len(),
            downloaded.annotations.done.len()
        ),
        (2, 1)
    );
    let again = api
        .download_to(folder.path(), options, &NoProgress)
        .unwrap();
    assert_eq!(again.media.skipped, 2);

    let taken = geti.upload_project(folder.path(), &ProjectUpload::default(), &NoProgress);
    assert_eq!(taken.unwrap_err().kind(), ErrorKind::Conflict);
    let options = ProjectUpload {
        name: Some("copy".to_owned()),
        auto_training: false,
    };
    let uploaded = geti
        .upload_project(folder.path(), &options, &NoProgress)
        .unwrap();
    assert_eq!(
        (uploaded.media.done.len(), uploaded.annotations.done.len()),
        (2, 1)
    );
    let api = geti.at(&uploaded.project.id);
    let names: Vec<String> = api
        .datasets()
        .unwrap()
        .into_iter()
        .map(|d| d.name)
        .collect();
    assert_eq!(names, ["Dataset", "strays / 1"]);
    let training = api.dataset(&api.training_dataset().unwrap().id);
    let image = &training.images().unwrap()[0];
    let scene = training.annotation(&image.id).unwrap().unwrap();
    let cat = &uploaded.project.pipeline.tasks[1].labels()[0].id;
    assert_eq!(scene.annotations[0].labels[0].id.as_ref(), Some(cat));
    assert_eq!(
        training.download_image(image, Rendition::Full).unwrap(),
        png("1")
    );
}
