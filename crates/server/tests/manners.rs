//! Which names are answered, what is logged, how a browser gets in again, and what is left of
//! what was refused or deleted.

#![allow(clippy::unwrap_used, clippy::panic, clippy::items_after_statements)]

mod common;

use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex};

use common::{Answer, TestServer, png};
use serde_json::{Value, json};
use straylight_server::{AccessLog, ServerConfig, Tls, create_login_code};
use straylight_store::{ImageFilter, Page, Store, restore};

#[test]
fn only_names_that_are_ours_are_answered() {
    let names = ["collect.example.org".to_owned()];
    let config = ServerConfig::default()
        .with_tls(Tls::Off)
        .with_host_names(names);
    let server = TestServer::configured(config);
    struct Case(&'static str, &'static str, u16);
    for Case(host, path, status) in [
        Case("localhost", "/", 200),
        Case("127.0.0.1:9", "/", 200),
        Case("collect.example.org", "/", 200),
        Case("evil.example", "/", 421),
        Case("evil.example", "/api/v1/product_info", 421),
        Case("evil.example", "/login", 421),
        Case("evil.example", "/static/app.js", 421),
        Case("evil.example", "/healthz", 200),
    ] {
        let headers = [("x-api-key", server.token.as_str()), ("host", host)];
        let answer = server.send("GET", path, &headers, b"");
        assert_eq!(answer.status, status, "{host} {path}");
        if status == 421 {
            assert!(answer.text().contains("--host-name"), "{}", answer.text());
        }
    }
}

type Told = Arc<Mutex<Vec<Value>>>;

fn logged(change: impl FnOnce(&mut ServerConfig)) -> (TestServer, Told) {
    let told = Told::default();
    let kept = Arc::clone(&told);
    let log = AccessLog::new(move |access| kept.lock().unwrap().push(json!(access)));
    let mut config = ServerConfig::default()
        .with_tls(Tls::Off)
        .with_access_log(log);
    change(&mut config);
    (TestServer::configured(config), told)
}

#[test]
fn the_access_log_says_who_asked_for_what_and_no_secret() {
    let (server, told) = logged(|_| {});
    let headers = [
        ("x-api-key", server.token.as_str()),
        ("x-geti-csrf-protection", "1"),
        ("cookie", "straylight_session=swordfish"),
    ];
    server.send(
        "GET",
        "/api/v1/product_info?key=swordfish",
        &headers,
        b"swordfish",
    );
    server.send("GET", "/a%0Ab", &[("x-api-key", "swordfish")], b"");
    server.send(
        "POST",
        "/login",
        &headers[1..2],
        br#"{"secret": "swordfish"}"#,
    );
    for path in ["/healthz", "/readyz", "/v2/health/live", "/v2/health/ready"] {
        server.send("GET", path, &[], b"");
    }
    let told = told.lock().unwrap().clone();
    assert_eq!(told.len(), 3, "health is quiet: {told:?}");
    let first = &told[0];
    assert_eq!(first["method"], "GET");
    assert_eq!(first["path"], "/api/v1/product_info");
    assert_eq!(
        (&first["status"], &first["caller"]),
        (&json!(200), &json!("test"))
    );
    assert_eq!(first["client"], "127.0.0.1");
    assert!(first["bytes"].as_u64().unwrap() > 0 && first["milliseconds"].as_f64().unwrap() > 0.0);
    assert_eq!(
        (&told[1]["status"], &told[1]["caller"]),
        (&json!(401), &Value::Null)
    );
    let text = json!(told).to_string();
    let token = server.token.as_str();
    assert!(
        !text.contains("swordfish") && !text.contains(token) && !text.contains('\n'),
        "{text}"
    );
}

#[test]
fn a_trusted_proxy_says_for_whom_it_asks_and_nobody_else() {
    let client = |trusted: &[&str], headers: &[(&str, &str)]| {
        let (server, told) = logged(|config| {
            config.limits.trusted_proxies = trusted.iter().map(|n| n.parse().unwrap()).collect();
        });
        server.send("GET", "/login", headers, b"");
        let told = told.lock().unwrap();
        told[0]["client"].as_str().unwrap().to_owned()
    };
    let forwarded = ("x-forwarded-for", "203.0.113.9, 198.51.100.7, 10.0.0.1");
    assert_eq!(client(&[], &[forwarded]), "127.0.0.1");
    assert_eq!(
        client(&["127.0.0.0/8", "10.0.0.0/8"], &[forwarded]),
        "198.51.100.7"
    );
    assert_eq!(
        client(&["127.0.0.1"], &[("x-forwarded-for", "nonsense")]),
        "127.0.0.1"
    );
    assert_eq!(client(&["127.0.0.1"], &[]), "127.0.0.1");
}

#[test]
fn a_login_code_can_be_asked_for_again() {
    let server = TestServer::start();
    let login = |code: &str| {
        let body = json!({"secret": code}).to_string();
        let csrf = [("x-geti-csrf-protection", "1")];
        server.send("POST", "/login", &csrf, body.as_bytes()).status
    };
    let code = |url: &str| url.split_once("/login#").unwrap().1.to_owned();
    assert_eq!(login(&code(&server.code_url)), 204);
    assert_eq!(login(&code(&server.code_url)), 401);
    let again = create_login_code(&server.store).unwrap();
    assert!(again.starts_with(&server.base), "{again}");
    assert_eq!(login(&code(&again)), 204);
    assert_eq!(login(&code(&again)), 401);
}

/// Uploads a file to be imported; its identifier.
fn upload(server: &TestServer, bytes: &[u8]) -> String {
    let path = format!("{}/projects/uploads/resumable", server.workspace());
    let length = bytes.len().to_string();
    let token = server.token.as_str();
    let mut headers = vec![
        ("x-api-key", token),
        ("x-geti-csrf-protection", "1"),
        ("tus-resumable", "1.0.0"),
        ("upload-length", length.as_str()),
    ];
    let location = server
        .send("POST", &path, &headers, b"")
        .header("location")
        .to_owned();
    headers.extend([
        ("content-type", "application/offset+octet-stream"),
        ("upload-offset", "0"),
    ]);
    assert_eq!(server.send("PATCH", &location, &headers, bytes).status, 204);
    location.rsplit('/').next().unwrap().to_owned()
}

/// Waits for the end of a job.
fn finished(server: &TestServer, started: &Answer) -> Value {
    let id = started.json()["job_id"].as_str().unwrap().to_owned();
    loop {
        let job = server
            .get(&format!("{}/jobs/{id}", server.workspace()))
            .json();
        if job["state"] != "running" {
            return job;
        }
    }
}

fn zip(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in entries {
        let options = zip::write::SimpleFileOptions::default();
        zip.start_file(*name, options).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// Names of what lies in a folder of the store.
fn names(store: &Path, folder: &str) -> Vec<String> {
    let entries = std::fs::read_dir(store.join(folder))
        .into_iter()
        .flatten()
        .flatten();
    entries
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect()
}

#[test]
fn a_refused_import_leaves_nothing() {
    let server = TestServer::start();
    let zeros = vec![0; 90 << 20];
    let (path, _) = server.project();
    let project = server.store.project_json(path.rsplit('/').next().unwrap());
    let description = json!({
        "project": project.unwrap(),
        "datasets": [{"name": "d", "images": [{"name": "n", "file": "images/1.png"}]}],
    })
    .to_string();
    let workspace = server.workspace();
    struct Case<'a>(&'a str, Vec<u8>, &'a str);
    for Case(name, archive, expected) in [
        Case("no archive", b"this is none".to_vec(), "damaged"),
        Case(
            "a bomb",
            zip(&[("straylight.json", &zeros)]),
            "unpacks to more",
        ),
        Case(
            "climbing",
            zip(&[("straylight.json", b"{}"), ("../x", b"")]),
            "no path inside",
        ),
        Case("no project", zip(&[("a.txt", b"x")]), "not in it"),
        Case(
            "no image",
            zip(&[
                ("straylight.json", description.as_bytes()),
                ("images/1.png", &zeros[..60 << 20]),
            ]),
            "no image",
        ),
    ] {
        let file_id = upload(&server, &archive);
        let import = format!("{workspace}/projects:import");
        let job = finished(&server, &server.post(&import, &json!({"file_id": file_id})));
        assert_eq!(job["state"], "failed", "{name}: {job}");
        let message = job["steps"][0]["message"].as_str().unwrap();
        assert!(message.contains(expected), "{name}: {message}");
        let file_id = upload(&server, &archive);
        let prepare = format!("{workspace}/datasets:prepare-for-import?file_id={file_id}");
        let job = finished(&server, &server.call("POST", &prepare, b""));
        assert_eq!(job["state"], "failed", "{name}: {job}");
        for folder in ["uploads", "pending"] {
            let left = names(server.store.root(), folder);
            assert!(left.is_empty(), "{name}: {folder} {left:?}");
        }
    }
    assert_eq!(
        server.get(&format!("{workspace}/projects")).json()["project_counts"],
        1
    );
}

#[test]
fn a_deleted_image_is_in_no_archive_any_more() {
    let server = TestServer::start();
    let (project, dataset) = server.project();
    let image = server.upload(&dataset, "a.png", &png(64, 48)).json();
    let image = format!("{dataset}/media/images/{}", image["id"].as_str().unwrap());
    assert_eq!(server.get(&format!("{image}/display/thumb")).status, 200);
    let export = |path: &str| {
        let job = finished(&server, &server.call("POST", path, b""));
        assert_eq!(job["state"], "finished", "{job}");
        job["metadata"]["download_url"].as_str().unwrap().to_owned()
    };
    let archives = [
        export(&format!("{project}:export")),
        export(&format!(
            "{dataset}:prepare-for-export?export_format=coco&include_unannotated_media=true"
        )),
    ];
    assert!(archives.iter().all(|url| server.get(url).status == 200));
    assert_eq!(server.call("DELETE", &image, b"").status, 200);
    assert!(archives.iter().all(|url| server.get(url).status == 404));
    let root = server.store.root();
    for folder in ["uploads", "pending"] {
        assert!(
            names(root, folder).is_empty(),
            "{folder}: {:?}",
            names(root, folder)
        );
    }
    for folder in ["images", "thumbnails"] {
        let shards = names(root, folder).into_iter();
        let files: Vec<_> = shards
            .flat_map(|shard| names(root, &format!("{folder}/{shard}")))
            .collect();
        assert!(files.is_empty(), "{folder}: {files:?}");
    }
}

/// As `straylight store backup` does it: by another process than the server's.
#[test]
fn a_backup_of_a_running_server_is_restored_with_every_image() {
    let server = TestServer::start();
    let (_, dataset) = server.project();
    let root = server.store.root().to_owned();
    let (backup, target) = (
        server.dir.path().join("backup"),
        server.dir.path().join("copy"),
    );
    let files: Vec<_> = (0..40).map(|side| png(64 + side, 48)).collect();
    std::thread::scope(|scope| {
        let uploads = scope.spawn(|| {
            for (index, file) in files.iter().enumerate() {
                let uploaded = server.upload(&dataset, &format!("{index}.png"), file);
                assert_eq!(uploaded.status, 200, "{}", uploaded.text());
                if index % 4 == 0 {
                    let id = uploaded.json()["id"].as_str().unwrap().to_owned();
                    let image = format!("{dataset}/media/images/{id}");
                    assert_eq!(server.call("DELETE", &image, b"").status, 200);
                }
            }
        });
        Store::open(&root).unwrap().backup(&backup).unwrap();
        uploads.join().unwrap();
    });
    restore(&backup, &target).unwrap();
    let copy = Store::open(&target).unwrap();
    let id = dataset.rsplit('/').next().unwrap();
    let filter = ImageFilter::default();
    let images = copy
        .images(id, &filter, <_>::default(), Page::ALL)
        .unwrap()
        .images;
    for image in images {
        let number: usize = image.name.parse().unwrap();
        assert_eq!(copy.image_bytes(&image.id).unwrap(), files[number]);
    }
    // The token of the server opens the copy as well.
    assert_eq!(copy.tokens().unwrap().len(), 1);
}
