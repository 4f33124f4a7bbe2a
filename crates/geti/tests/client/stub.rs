//! A small Geti in memory: enough of the API for whole flows, nothing kept after the test.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::common::{self, Received, Reply, Server};

pub const ORGANIZATION: &str = "11111111-1111-4111-8111-111111111111";
pub const WORKSPACE: &str = "22222222-2222-4222-8222-222222222222";

/// The path of the workspace.
pub fn workspace() -> String {
    format!("/api/v1/organizations/{ORGANIZATION}/workspaces/{WORKSPACE}")
}

#[derive(Default)]
pub struct State {
    pub version: String,
    next_id: u32,
    projects: Vec<Value>,
    media: Vec<Media>,
    pub deployment: Vec<u8>,
    pub models: Value,
    polls: u32,
}

struct Media {
    dataset: String,
    json: Value,
    bytes: Vec<u8>,
    scene: Option<Value>,
}

/// Starts a server of this version over an empty memory.
pub fn start(version: &str) -> (Server, Arc<Mutex<State>>) {
    let state = memory(version);
    let shared = Arc::clone(&state);
    (
        Server::start(move |request| respond(&shared, request)),
        state,
    )
}

/// An empty memory of a server of this version.
pub fn memory(version: &str) -> Arc<Mutex<State>> {
    Arc::new(Mutex::new(State {
        version: version.to_owned(),
        ..State::default()
    }))
}

/// The answer to any request.
pub fn respond(state: &Mutex<State>, request: &Received) -> Reply {
    let mut state = state.lock().unwrap();
    let reply = session(request, &state.version);
    reply.unwrap_or_else(|| state.answer(request))
}

/// The calls that open a session.
pub fn session(request: &Received, version: &str) -> Option<Reply> {
    if request.header("x-api-key") != Some(common::TOKEN) {
        return Some(Reply::bytes("text/plain", "Invalid authorization token").with_status(401));
    }
    let changes = !matches!(request.method.as_str(), "GET" | "HEAD" | "OPTIONS");
    if changes && request.header("x-geti-csrf-protection") != Some("1") {
        return Some(Reply::empty(403));
    }
    let workspaces = format!("/api/v1/organizations/{ORGANIZATION}/workspaces");
    Some(match request.path.as_str() {
        "/api/v1/product_info" => Reply::json(json!({"product-version": version})),
        "/api/v1/personal_access_tokens/organization" => {
            Reply::json(json!({"organizations": [{"organizationId": ORGANIZATION,
                "organizationCreatedAt": "2024-01-01T00:00:00Z"}]}))
        }
        path if path == workspaces => {
            Reply::json(json!({"workspaces": [{"id": WORKSPACE, "name": "Default Workspace"}]}))
        }
        _ => return None,
    })
}

impl Reply {
    pub fn with_status(mut self, new: u16) -> Self {
        if let Self::Full(status, ..) = &mut self {
            *status = new;
        }
        self
    }
}

impl State {
    fn answer(&mut self, request: &Received) -> Reply {
        let path = request
            .path
            .strip_prefix(&workspace())
            .unwrap_or("/elsewhere")
            .to_owned();
        let (path, query) = path.split_once('?').unwrap_or((&path, ""));
        let parts: Vec<&str> = path.split('/').skip(1).collect();
        let method = request.method.as_str();
        match (method, parts.as_slice()) {
            ("GET", ["projects"]) => self.list_projects(),
            ("POST", ["projects"]) => self.create_project(request.json()),
            ("GET", ["jobs"]) => Reply::json(json!({"jobs": [], "jobs_count": {}})),
            ("GET", ["jobs", _]) => self.job(),
            (_, ["projects", id, rest @ ..]) => {
                let (id, action) = id.split_once(':').unwrap_or((id, ""));
                match self
                    .projects
                    .iter()
                    .position(|project| project["id"] == *id)
                {
                    Some(index) => self.in_project(index, method, action, rest, query, request),
                    None => not_found("project_not_found"),
                }
            }
            _ => not_found("bad_route"),
        }
    }

    fn in_project(
        &mut self,
        index: usize,
        method: &str,
        action: &str,
        rest: &[&str],
        query: &str,
        request: &Received,
    ) -> Reply {
        match (method, action, rest) {
            ("GET", "", []) => Reply::json(self.projects[index].clone()),
            ("DELETE", "", []) => {
                self.projects.remove(index);
                Reply::json(json!({"result": "success"}))
            }
            ("POST", "train", []) => Reply::json(json!({"job_id": "j"})),
            ("GET", "", ["status"]) => Reply::json(json!({"is_training": false,
                "n_required_annotations": 0, "status": {"progress": -1.0}, "tasks": []})),
            ("GET", "", ["datasets"]) => {
                Reply::json(json!({"datasets": self.projects[index]["datasets"]}))
            }
            ("POST", "", ["datasets"]) => self.create_dataset(index, &request.json()),
            ("GET", "", ["project_configuration"]) => Reply::json(json!({"task_configs": []})),
            ("PATCH", "", ["project_configuration"]) => Reply::empty(204),
            ("GET", "", ["supported_algorithms"]) => Reply::json(json!({"supported_algorithms":
                [{"model_manifest_id": "a", "task": "classification", "name": "n"}]})),
            ("GET", "", ["model_groups"]) => Reply::json(self.models["groups"].clone()),
            ("GET", "", ["model_groups", _, "models", _]) => {
                Reply::json(self.models["model"].clone())
            }
            ("POST", "", ["deployment_package:download"])
            | ("GET", "", ["code_deployments", "c", "download"]) => {
                Reply::bytes("application/zip", self.deployment.clone())
            }
            ("POST", "", ["code_deployments:prepare"]) => Reply::json(code_deployment("PREPARING")),
            ("GET", "", ["code_deployments", "c"]) => {
                self.polls += 1;
                Reply::json(code_deployment(if self.polls < 3 {
                    "PREPARING"
                } else {
                    "DONE"
                }))
            }
            ("POST", "", ["pipelines", "active:predict"]) => Reply::json(
                json!({"predictions": [{"labels": [{"id": "l", "probability": 0.5}],
                    "shape": {"type": "RECTANGLE", "x": 0, "y": 0, "width": 64, "height": 48}}],
                    "created": "2024-08-20T10:01:00.000000+00:00"}),
            ),
            (_, "", ["datasets", dataset, rest @ ..]) => {
                self.in_dataset(dataset, method, rest, query, request)
            }
            _ => not_found("bad_route"),
        }
    }

    fn in_dataset(
        &mut self,
        dataset: &str,
        method: &str,
        rest: &[&str],
        query: &str,
        request: &Received,
    ) -> Reply {
        match (method, rest) {
            ("POST", ["media:query"]) => self.query(dataset, query, request),
            ("POST", ["media", "images"]) => self.upload(dataset, &request.body),
            ("GET", ["statistics"]) => {
                let images = self.media.iter().filter(|m| m.dataset == dataset).count();
                Reply::json(json!({"overview": {"images": images}, "tasks": []}))
            }
            (_, ["media", "images", id, rest @ ..]) => {
                match self.media.iter().position(|media| media.json["id"] == *id) {
                    Some(index) => self.in_image(index, method, rest, request),
                    None => not_found("image_not_found"),
                }
            }
            _ => not_found("bad_route"),
        }
    }

    fn in_image(&mut self, index: usize, method: &str, rest: &[&str], request: &Received) -> Reply {
        let media = &mut self.media[index];
        match (method, rest) {
            ("GET", []) => Reply::json(media.json.clone()),
            ("GET", ["display", "full"]) => Reply::bytes("image/jpeg", media.bytes.clone()),
            ("GET", ["display", "thumb"]) => Reply::bytes("image/jpeg", common::jpeg("thumb")),
            ("GET", ["annotations", "latest"]) => match &media.scene {
                Some(scene) => Reply::json(scene.clone()),
                None => Reply::empty(204),
            },
            ("POST", ["annotations"]) => {
                let mut scene = request.json();
                scene["kind"] = "annotation".into();
                media.scene = Some(scene.clone());
                Reply::json(scene)
            }
            ("DELETE", []) => {
                self.media.remove(index);
                Reply::json(json!({"result": "success"}))
            }
            _ => not_found("bad_route"),
        }
    }

    fn id(&mut self) -> String {
        self.next_id += 1;
        format!("{:024x}", self.next_id)
    }

    fn list_projects(&self) -> Reply {
        let count = self.projects.len();
        Reply::json(json!({"projects": self.projects, "project_counts": count,
            "project_page_count": count, "next_page": null}))
    }

    fn create_project(&mut self, mut request: Value) -> Reply {
        let id = self.id();
        let mut ids = serde_json::Map::new();
        for task in request["pipeline"]["tasks"].as_array_mut().unwrap() {
            let task_id = self.id();
            ids.insert(
                task["title"].as_str().unwrap().to_owned(),
                task_id.clone().into(),
            );
            task["id"] = task_id.into();
            for label in task["labels"].as_array_mut().into_iter().flatten() {
                label["id"] = self.id().into();
                label["color"] = "#112233ff".into();
                label["is_empty"] = false.into();
            }
        }
        for edge in request["pipeline"]["connections"].as_array_mut().unwrap() {
            for end in ["from", "to"] {
                edge[end] = ids[edge[end].as_str().unwrap()].clone();
            }
        }
        let dataset = json!({"id": self.id(), "name": "Dataset", "use_for_training": true,
            "creation_time": "2024-08-20T10:00:00.000000+00:00"});
        request["id"] = id.into();
        request["datasets"] = json!([dataset]);
        self.projects.push(request.clone());
        Reply::status(201, &request)
    }

    fn create_dataset(&mut self, index: usize, request: &Value) -> Reply {
        let dataset = json!({"id": self.id(), "name": request["name"], "use_for_training": false,
            "creation_time": "2024-08-20T10:00:00.000000+00:00"});
        let datasets = self.projects[index]["datasets"].as_array_mut().unwrap();
        if datasets
            .iter()
            .any(|other| other["name"] == request["name"])
        {
            return error(409, "dataset_already_exists");
        }
        datasets.push(dataset.clone());
        Reply::status(201, &dataset)
    }

    fn upload(&mut self, dataset: &str, body: &[u8]) -> Reply {
        let (name, bytes) = multipart(body);
        let id = self.id();
        let project = self.projects.iter().find(|project| {
            project["datasets"]
                .as_array()
                .unwrap()
                .iter()
                .any(|d| d["id"] == *dataset)
        });
        let project = project.unwrap()["id"].as_str().unwrap();
        let url = format!(
            "{}/projects/{project}/datasets/{dataset}/media/images/{id}",
            workspace()
        );
        let stem = name.rsplit_once('.').unwrap().0;
        let json = json!({"id": id, "name": stem, "type": "image",
            "upload_time": "2024-08-20T10:00:00.000000+00:00",
            "media_information": {"display_url": format!("{url}/display/full"),
                "height": 48, "width": 64}});
        let dataset = dataset.to_owned();
        self.media.push(Media {
            dataset,
            json: json.clone(),
            bytes,
            scene: None,
        });
        Reply::json(json)
    }

    fn query(&self, dataset: &str, query: &str, request: &Received) -> Reply {
        let rules = request.json()["rules"].clone();
        let number = |key: &str| {
            let value = query
                .split('&')
                .find_map(|pair| pair.strip_prefix(key)?.strip_prefix('='));
            value.map(|value| value.parse::<usize>().unwrap())
        };
        let (limit, skip) = (number("limit").unwrap_or(1000), number("skip").unwrap_or(0));
        let matching: Vec<&Value> = self
            .media
            .iter()
            .filter(|media| media.dataset == dataset && rules[0]["value"] == "image")
            .filter(|media| rules[1].is_null() || media.json["name"] == rules[1]["value"])
            .map(|media| &media.json)
            .collect();
        let page: Vec<&&Value> = matching.iter().skip(skip).take(limit).collect();
        let full = page.len() == limit;
        let path = request.path.split('?').next().unwrap();
        let next = full.then(|| format!("{path}?limit={limit}&skip={}", skip + limit));
        Reply::json(
            json!({"media": page, "total_matched_images": matching.len(),
            "total_images": matching.len(), "total_videos": 0, "next_page": next}),
        )
    }

    fn job(&mut self) -> Reply {
        self.polls += 1;
        let state = match self.polls {
            1 => return error(404, "job_not_found"),
            2 => "running",
            _ => "finished",
        };
        Reply::json(
            json!({"id": "j", "name": "Training", "type": "train", "state": state,
            "metadata": {}, "steps": [{"progress": 50.0, "message": null}]}),
        )
    }
}

fn code_deployment(state: &str) -> Value {
    json!({"id": "c", "state": state, "progress": 0.0, "models": []})
}

pub fn error(status: u16, code: &str) -> Reply {
    Reply::status(
        status,
        &json!({"error_code": code, "message": "No.", "http_status": status}),
    )
}

fn not_found(code: &str) -> Reply {
    error(404, code)
}

/// File name and content of the only part of a multipart body.
pub fn multipart(body: &[u8]) -> (String, Vec<u8>) {
    let find = |bytes: &[u8], needle: &[u8]| {
        bytes
            .windows(needle.len())
            .position(|window| window == needle)
            .unwrap()
    };
    let head = find(body, b"\r\n\r\n");
    let text = std::str::from_utf8(&body[..head]).unwrap();
    assert!(!text.to_lowercase().contains("content-type"), "{text}");
    let boundary = text.lines().next().unwrap();
    let name = text
        .split_once("filename=\"")
        .unwrap()
        .1
        .trim_end_matches('"');
    let content = &body[head + 4..];
    let end = find(content, format!("\r\n{boundary}--").as_bytes());
    (name.to_owned(), content[..end].to_vec())
}
