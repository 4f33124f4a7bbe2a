//! Annotated sets into the local store and out of it, by the program.

#![allow(clippy::unwrap_used)]
#![cfg(unix)]

mod support;

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use straylight::store::{Decision, ImageFilter, ImageSort, Page, SortDirection, Store};
use support::{Scratch, copy};

/// Runs a command on the local store with `--json` and reads its answer.
#[track_caller]
fn store(scratch: &Scratch, code: i32, arguments: &[&str]) -> Value {
    let local = ["--store", "store", "--json"];
    let ran = scratch.run(&[arguments, &local].concat()).expect(code);
    serde_json::from_str(&ran.out).unwrap()
}

/// A copy of a set of the fixtures, in the scratch folder under `set`.
fn fixture(scratch: &Scratch, name: &str) {
    let folder = support::repository().join("fixtures/datasets").join(name);
    copy(&folder, &scratch.path().join("set"));
}

/// Changes the annotations of the set.
fn change(scratch: &Scratch, edit: impl FnOnce(&mut Value)) {
    let path = scratch
        .path()
        .join("set/annotations/instances_default.json");
    let mut set: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    edit(&mut set);
    fs::write(path, set.to_string()).unwrap();
}

fn import(scratch: &Scratch, code: i32, more: &[&str]) -> Value {
    let import = ["dataset", "import", "set", "--into", "parts"];
    store(scratch, code, &[&import[..], more].concat())
}

#[test]
fn a_box_that_reaches_over_the_edge_is_cut_and_costs_nothing_else() {
    let scratch = Scratch::new();
    fixture(&scratch, "box_one_pixel_outside");
    let imported = import(&scratch, 0, &["--task", "detection"]);
    assert_eq!(
        (&imported["images"], &imported["annotations"]),
        (&json!(1), &json!(2))
    );
    let changed = imported["changed"].as_array().unwrap();
    assert_eq!(changed.len(), 1, "{imported}");
    assert!(
        changed[0]["message"].as_str().unwrap().contains("clipped"),
        "{imported}"
    );
    store(
        &scratch,
        0,
        &[
            "dataset", "export", "parts", "--format", "coco", "--out", "out",
        ],
    );
    let out = fs::read_to_string(
        scratch
            .path()
            .join("out/annotations/instances_default.json"),
    );
    let out: Value = serde_json::from_str(&out.unwrap()).unwrap();
    let boxes: Vec<&Value> = out["annotations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|a| &a["bbox"])
        .collect();
    assert_eq!(
        boxes,
        [
            &json!([4.0, 5.0, 20.0, 10.0]),
            &json!([50.0, 30.0, 14.0, 10.0])
        ]
    );
}

#[test]
fn a_shape_that_cannot_go_in_is_listed_without_an_address() {
    let scratch = Scratch::new();
    fixture(&scratch, "box_one_pixel_outside");
    change(&scratch, |set| {
        set["annotations"][1]["bbox"] = json!([80, 30, 15, 10]);
    });
    let imported = import(&scratch, 3, &["--task", "detection"]);
    assert_eq!(
        (&imported["images"], &imported["annotations"]),
        (&json!(1), &json!(1))
    );
    let problems = imported["problems"].to_string();
    assert!(
        problems.contains("a.png") && !problems.contains("http"),
        "{problems}"
    );
    assert!(!problems.contains("status"), "{problems}");
}

#[test]
fn a_corrected_import_updates_what_was_there() {
    let scratch = Scratch::new();
    fixture(&scratch, "box_one_pixel_outside");
    let all = fs::read(
        scratch
            .path()
            .join("set/annotations/instances_default.json"),
    )
    .unwrap();
    change(&scratch, |set| set["annotations"] = json!([]));
    import(&scratch, 0, &["--task", "detection"]);
    fs::write(
        scratch
            .path()
            .join("set/annotations/instances_default.json"),
        all,
    )
    .unwrap();
    let counts = |imported: &Value| {
        ["images", "annotations", "updated", "there_already"]
            .map(|key| imported[key].as_u64().unwrap())
    };
    assert_eq!(counts(&import(&scratch, 0, &[])), [0, 2, 1, 0]);
    assert_eq!(counts(&import(&scratch, 0, &[])), [0, 0, 0, 1]);
    // Another image of the same name is no reason to drop it.
    let photo = support::repository().join("fixtures/images/rgb.png");
    fs::copy(photo, scratch.path().join("set/images/a.png")).unwrap();
    change(&scratch, |set| {
        set["images"][0].as_object_mut().unwrap().remove("width");
        set["images"][0].as_object_mut().unwrap().remove("height");
        set["annotations"] = json!([]);
    });
    let other = import(&scratch, 0, &[]);
    assert_eq!(counts(&other), [1, 0, 0, 0], "{other}");
    assert!(
        other["changed"]
            .to_string()
            .contains("another image called `a`"),
        "{other}"
    );
    assert_eq!(counts(&import(&scratch, 0, &[])), [0, 0, 0, 1]);
}

#[test]
fn what_people_changed_stays_unless_it_shall_be_overwritten() {
    let scratch = Scratch::new();
    fixture(&scratch, "category_ids_not_in_order");
    import(&scratch, 0, &["--task", "detection"]);
    {
        let store = Store::open(scratch.path().join("store")).unwrap();
        let images = images(&store);
        let id = |name: &str| &images.iter().find(|(known, _)| known == name).unwrap().1;
        // Somebody deletes one of the two objects on `a`.
        let scene = store.annotation(id("a")).unwrap().unwrap();
        store
            .set_annotation(id("a"), &scene.annotations[..1])
            .unwrap();
    }
    change(&scratch, |set| {
        for annotation in set["annotations"].as_array_mut().unwrap() {
            annotation["bbox"][0] = json!(2);
        }
    });
    let again = import(&scratch, 0, &[]);
    let kept = again["kept"].as_array().unwrap();
    assert_eq!((kept.len(), &again["updated"]), (1, &json!(1)), "{again}");
    assert!(
        kept[0]["place"].as_str().unwrap().ends_with("a.png"),
        "{again}"
    );
    assert!(
        kept[0]["message"].as_str().unwrap().contains("--overwrite"),
        "{again}"
    );
    let ran = scratch.run(&[
        "dataset", "import", "set", "--into", "parts", "--store", "store",
    ]);
    assert!(ran.expect(0).out.contains("1 kept: changed here"));
    let forced = import(&scratch, 0, &["--overwrite"]);
    assert_eq!(
        (&forced["kept"], &forced["updated"]),
        (&json!([]), &json!(1))
    );
    let same = import(&scratch, 0, &[]);
    assert_eq!(
        (&same["kept"], &same["there_already"]),
        (&json!([]), &json!(2))
    );
}

#[test]
fn an_image_that_a_set_lists_without_objects_is_one_of_nothing() {
    let scratch = Scratch::new();
    fixture(&scratch, "category_ids_not_in_order");
    change(&scratch, |set| {
        let annotations = set["annotations"].as_array_mut().unwrap();
        annotations.retain(|annotation| annotation["image_id"] == 0);
    });
    let imported = import(&scratch, 0, &["--task", "detection"]);
    assert_eq!(
        (&imported["empty"], &imported["annotations"]),
        (&json!(1), &json!(2)),
        "{imported}"
    );
    let export = [
        "dataset", "export", "parts", "--format", "yolo", "--out", "out",
    ];
    let exported = store(&scratch, 0, &export);
    assert_eq!(exported["images"], 2, "{exported}");
    // The set knows better now, and nobody changed anything.
    fixture(&scratch, "category_ids_not_in_order");
    let corrected = import(&scratch, 0, &[]);
    assert_eq!(
        (&corrected["updated"], &corrected["kept"]),
        (&json!(1), &json!([]))
    );
}

#[test]
fn projects_keep_labels_that_no_image_has_and_take_new_ones() {
    let scratch = Scratch::new();
    fixture(&scratch, "category_ids_not_in_order");
    change(&scratch, |set| {
        set["categories"]
            .as_array_mut()
            .unwrap()
            .push(json!({"id": 9, "name": "rivet"}));
    });
    import(&scratch, 0, &["--task", "detection"]);
    let labels = |scratch: &Scratch| {
        let project = store(scratch, 0, &["project", "show", "parts"]);
        project["tasks"][0]["labels"].clone()
    };
    let made = json!(["bolt", "nut", "washer", "rivet", "No object"]);
    assert_eq!(labels(&scratch), made);
    change(&scratch, |set| {
        set["categories"][0]["name"] = json!("screw");
    });
    let refused = scratch.run(&[
        "dataset", "import", "set", "--into", "parts", "--store", "store",
    ]);
    let refused = refused.expect(1);
    assert!(
        refused.err.contains("no label `screw`") && refused.err.contains("--add-labels"),
        "{}",
        refused.err
    );
    let added = import(&scratch, 0, &["--add-labels"]);
    assert_eq!(
        (&added["added_labels"], &added["updated"]),
        (&json!(["screw"]), &json!(1))
    );
    store(
        &scratch,
        0,
        &["project", "labels", "add", "parts", "pin", "clip"],
    );
    let names = labels(&scratch);
    let names: Vec<&str> = names
        .as_array()
        .unwrap()
        .iter()
        .map(|l| l.as_str().unwrap())
        .collect();
    assert!(
        ["screw", "pin", "clip"]
            .iter()
            .all(|name| names.contains(name)),
        "{names:?}"
    );
    let twice = scratch.run(&[
        "project", "labels", "add", "parts", "pin", "--store", "store",
    ]);
    assert!(twice.expect(1).err.contains("pin"));
}

#[test]
fn a_project_of_key_points_has_their_structure() {
    let scratch = Scratch::new();
    let create = [
        "project",
        "create",
        "hands",
        "--task",
        "keypoint_detection",
        "--labels",
    ];
    let more = ["wrist,thumb,palm", "--edges", "wrist-thumb,wrist-palm"];
    let made = store(&scratch, 0, &[&create[..], &more].concat());
    assert_eq!(
        made["tasks"][0]["labels"],
        json!(["wrist", "thumb", "palm"])
    );
    let kept = Store::open(scratch.path().join("store")).unwrap();
    let kept = kept.project_json(made["id"].as_str().unwrap()).unwrap();
    let structure = &kept["pipeline"]["tasks"][1]["keypoint_structure"];
    assert_eq!(
        structure["edges"].as_array().unwrap().len(),
        2,
        "{structure}"
    );
    assert_eq!(
        structure["positions"].as_array().unwrap().len(),
        3,
        "{structure}"
    );
    let wrong = [&create[..], &["a,b", "--edges", "a-c", "--store", "store"]].concat();
    assert!(
        scratch
            .run(&wrong)
            .expect(1)
            .err
            .contains("`a-c` joins no two labels")
    );
}

/// Every image of a store with its name.
fn images(store: &Store) -> Vec<(String, String)> {
    let project = store.projects_named("parts").unwrap().remove(0);
    let sort = (ImageSort::Name, SortDirection::Ascending);
    let found = store.images(
        &project.datasets[0].id,
        &ImageFilter::default(),
        sort,
        Page::ALL,
    );
    found
        .unwrap()
        .images
        .into_iter()
        .map(|image| (image.name, image.id))
        .collect()
}

#[test]
fn only_decided_images_are_exported() {
    let scratch = Scratch::new();
    fixture(&scratch, "category_ids_not_in_order");
    import(&scratch, 0, &["--task", "detection"]);
    let photos = support::repository().join("assets/demo/photos/fish");
    copy(&photos, &scratch.path().join("photos"));
    store(&scratch, 0, &["dataset", "upload", "parts", "photos"]);
    let export = |code, out: &str, more: &[&str]| {
        let export = [
            "dataset", "export", "parts", "--format", "yolo", "--out", out,
        ];
        store(&scratch, code, &[&export[..], more].concat())
    };
    let decided = export(0, "decided", &[]);
    assert_eq!(
        (&decided["images"], &decided["left_out"]["unlabelled"]),
        (&json!(2), &json!(28))
    );
    assert_eq!(export(0, "all", &["--include", "unlabelled"])["images"], 30);
    {
        let store = Store::open(scratch.path().join("store")).unwrap();
        let images = images(&store);
        let id = |name: &str| &images.iter().find(|(known, _)| known == name).unwrap().1;
        store.decide("me", id("a"), &Decision::Reject).unwrap();
        // Somebody looked at a photo and found nothing: background on purpose.
        store.set_annotation(&images[5].1, &[]).unwrap();
    }
    let after = export(0, "after", &["--include", "unlabelled"]);
    assert_eq!(
        (&after["images"], &after["left_out"]["rejected"]),
        (&json!(29), &json!(1))
    );
    let after = export(0, "after again", &[]);
    assert_eq!(
        (&after["images"], &after["left_out"]["unlabelled"]),
        (&json!(2), &json!(27))
    );
    let labels = fs::read_dir(scratch.path().join("after again/labels/default")).unwrap();
    let sizes = labels.map(|file| file.unwrap().metadata().unwrap().len());
    assert_eq!(sizes.filter(|size| *size == 0).count(), 1);
    // The classes are those of the project, whatever images are left.
    let names = "nc: 3\nnames:\n  0: \"bolt\"\n  1: \"nut\"\n  2: \"washer\"\n";
    for out in ["decided", "all", "after", "after again"] {
        let yaml = fs::read_to_string(scratch.path().join(out).join("data.yaml")).unwrap();
        assert!(yaml.ends_with(names), "{out}: {yaml}");
    }
    let washer =
        fs::read_to_string(scratch.path().join("after again/labels/default/b.txt")).unwrap();
    assert!(washer.starts_with("2 "), "{washer}");
}

#[test]
fn nothing_is_written_when_nothing_is_decided() {
    let scratch = Scratch::new();
    store(
        &scratch,
        0,
        &[
            "project",
            "create",
            "parts",
            "--task",
            "detection",
            "--labels",
            "bolt",
        ],
    );
    let photo = "assets/demo/photos/fish";
    store(&scratch, 0, &["dataset", "upload", "parts", photo]);
    let export = [
        "dataset", "export", "parts", "--format", "yolo", "--out", "out", "--store", "store",
    ];
    let refused = scratch.run(&export).expect(1);
    assert!(
        refused.err.contains("28 that nobody has labelled"),
        "{}",
        refused.err
    );
    assert!(
        refused.err.contains("--include unlabelled"),
        "{}",
        refused.err
    );
    assert!(!scratch.path().join("out").exists());
}

#[test]
fn a_split_is_the_same_each_time_and_keeps_near_duplicates_together() {
    let scratch = Scratch::new();
    for class in ["fish", "tool"] {
        let photos = support::repository().join("assets/demo/photos").join(class);
        copy(&photos, &scratch.path().join("set").join(class));
    }
    // The same photo under three names is one thing to a training.
    let some = fs::read_dir(scratch.path().join("set/fish"))
        .unwrap()
        .next()
        .unwrap()
        .unwrap();
    let extension = some
        .path()
        .extension()
        .unwrap()
        .to_string_lossy()
        .into_owned();
    for name in ["twin_1", "twin_2"] {
        let twin = scratch
            .path()
            .join("set/fish")
            .join(format!("{name}.{extension}"));
        fs::copy(some.path(), twin).unwrap();
    }
    let convert = |out: &str, more: &[&str]| {
        let convert = [
            "dataset", "convert", "set", "--to", "tree", "--split", "60/20/20", "--out", out,
        ];
        let ran = scratch
            .run(&[&convert[..], more, &["--json"]].concat())
            .expect(0);
        serde_json::from_str::<Value>(&ran.out).unwrap()
    };
    let first = convert("first", &[]);
    assert_eq!(
        first["parts"]["train"].as_u64().unwrap()
            + first["parts"]["val"].as_u64().unwrap()
            + first["parts"]["test"].as_u64().unwrap(),
        68
    );
    convert("second", &[]);
    let (one, two) = (files(&scratch, "first"), files(&scratch, "second"));
    assert_eq!(one, two);
    convert("other", &["--seed", "1"]);
    assert_ne!(one, files(&scratch, "other"));
    let parts = |name: &str| {
        one.iter()
            .filter(|file| file.contains(name))
            .map(|file| &file[..4])
            .collect::<Vec<_>>()
    };
    let stem = some
        .path()
        .file_stem()
        .unwrap()
        .to_string_lossy()
        .into_owned();
    let twins = [
        parts("twin_1"),
        parts("twin_2"),
        parts(&format!("/{stem}.")),
    ]
    .concat();
    assert!(
        twins.len() == 3 && twins.iter().all(|part| *part == twins[0]),
        "{twins:?}"
    );
}

#[test]
fn a_set_is_added_to_a_dataset_without_numbering_its_classes_anew() {
    let scratch = Scratch::new();
    fixture(&scratch, "category_ids_not_in_order");
    let convert = |code, more: &[&str]| {
        let convert = ["dataset", "convert", "set", "--to", "yolo", "--out", "yolo"];
        scratch
            .run(&[&convert[..], more].concat())
            .expect(code)
            .all()
    };
    convert(0, &["--split", "50/50"]);
    let yolo = scratch.path().join("yolo");
    let read = |name: &str| fs::read_to_string(yolo.join(name)).unwrap();
    // Somebody's own dataset: other numbers, other keys, a comment.
    let own =
        "# ours\ntrain: images/train\nval: images/val\nnames: [washer, bolt]\nnc: 2\nlr: 0.1\n";
    fs::write(yolo.join("data.yaml"), own).unwrap();
    assert!(convert(1, &[]).contains("is not empty"));
    convert(0, &["--merge"]);
    let yaml = read("data.yaml");
    assert!(
        yaml.starts_with("# ours\ntrain: images/train\nval: images/val\nlr: 0.1\n"),
        "{yaml}"
    );
    let names = "nc: 3\nnames:\n  0: \"washer\"\n  1: \"bolt\"\n  2: \"nut\"\n";
    assert!(yaml.ends_with(names), "{yaml}");
    let numbers = |name: &str| {
        let text = read(&format!("labels/train/{name}.txt"));
        text.lines()
            .map(|line| line.chars().next().unwrap())
            .collect::<String>()
    };
    assert_eq!(
        (numbers("a"), numbers("b")),
        ("12".to_owned(), "0".to_owned())
    );
    let before = files(&scratch, "yolo");
    convert(0, &["--merge"]);
    assert_eq!(
        files(&scratch, "yolo"),
        before,
        "the same images are there once"
    );
    fs::copy(
        yolo.join("images/train/b.png"),
        scratch.path().join("set/images/a.png"),
    )
    .unwrap();
    convert(0, &["--merge"]);
    let more = files(&scratch, "yolo");
    assert_eq!(more.len(), before.len() + 2, "{more:?}");
    let to_coco = [
        "dataset", "convert", "set", "--to", "coco", "--out", "yolo", "--merge",
    ];
    assert!(
        scratch
            .run(&to_coco)
            .expect(1)
            .err
            .contains("only to one of yolo")
    );
}

/// The files below a folder of the scratch folder, sorted.
fn files(scratch: &Scratch, folder: &str) -> Vec<String> {
    fn collect(root: &Path, folder: &Path, files: &mut Vec<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                collect(root, &path, files);
            } else {
                files.push(
                    path.strip_prefix(root)
                        .unwrap()
                        .to_string_lossy()
                        .into_owned(),
                );
            }
        }
    }
    let root = scratch.path().join(folder);
    let mut all = Vec::new();
    collect(&root, &root, &mut all);
    all.sort();
    all
}
