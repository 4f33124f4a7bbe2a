"""What only a server that trains answers, against one on loopback that says what Geti says."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from straylight import Geti
from straylight.data_models import Job
from straylight.exceptions import NotSupportedError, ServerError
from straylight.rest_clients import ModelClient

ORGANIZATION = "11111111-1111-4111-8111-111111111111"
WORKSPACE = "22222222-2222-4222-8222-222222222222"
TOKEN = "geti_pat_test"
TASK = {"id": "t", "title": "Detection task", "task_type": "detection", "labels": []}
PROJECT = {
    "id": "p",
    "name": "trained",
    "pipeline": {
        "connections": [],
        "tasks": [{"id": "d", "title": "Dataset", "task_type": "dataset"}, TASK],
    },
    "datasets": [{"id": "ds", "name": "Dataset", "use_for_training": True}],
}
DATE = "2024-08-20T10:00:00.000000+00:00"
FORM = {
    "id": "o",
    "name": "YOLOX FP16",
    "creation_date": DATE,
    "precision": ["FP16"],
    "model_status": "SUCCESS",
    "optimization_methods": [],
    "optimization_objectives": {},
    "optimization_type": "MO",
}
SUMMARY = {"id": "m", "name": "YOLOX", "creation_date": DATE, "active_model": True, "version": 3}
MODEL = {
    **SUMMARY,
    "architecture": "YOLOX",
    "precision": ["FP32"],
    "performance": {"score": 0.9},
    "optimized_models": [FORM],
}
GROUP = {
    "id": "g",
    "name": "YOLOX",
    "model_template_id": "a",
    "task_id": "t",
    "learning_approach": "fully_supervised",
    "models": [{**SUMMARY, "performance": {"score": 0.9}}],
}
ALGORITHM = {"model_manifest_id": "a", "task": "detection", "name": "YOLOX"}


def job(state, **metadata):
    step = {"index": 1, "step_name": "Training", "progress": 50.0, "state": state, "message": "why"}
    about = {"project": {"id": "p", "name": "trained"}, **metadata}
    return {
        "id": "j",
        "name": "Training",
        "type": "train",
        "state": state,
        "metadata": about,
        "steps": [step],
    }


class Training:
    """What the server has been asked, and how its job goes on."""

    def __init__(self):
        self.asked, self.jobs, self.model = [], [], MODEL
        handler = type("Handler", (_Handler,), {"training": self})
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=self.http.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.http.server_port}"

    def answer(self, method, path):
        part = path.partition("/projects/p")[2]
        answers = {
            ("GET", "/api/v1/product_info"): {"product-version": "2.13.0"},
            ("GET", "/api/v1/personal_access_tokens/organization"): {
                "organizationId": ORGANIZATION
            },
            ("GET", f"/api/v1/organizations/{ORGANIZATION}/workspaces"): {
                "workspaces": [{"id": WORKSPACE, "name": "Default Workspace"}]
            },
            ("GET", f"/api/v1/organizations/{ORGANIZATION}/balance"): {
                "incoming": 9,
                "available": 7,
                "blocked": 0,
            },
        }
        if (method, path) in answers:
            return answers[method, path]
        if method == "GET" and path.endswith("/jobs/j"):
            return self.jobs.pop(0) if len(self.jobs) > 1 else self.jobs[0]
        self.asked.append(f"{method} {part}")
        return {
            "GET ": PROJECT,
            "GET /supported_algorithms": {"supported_algorithms": [ALGORITHM]},
            "GET /model_groups": {"model_groups": [GROUP]},
            "GET /model_groups/g/models/m": self.model,
            "POST /model_groups/g:activate": {"result": "success"},
            "POST /model_groups/g/models/m:optimize": {"job_id": "j"},
            "POST /model_groups/g/models/m:purge": None,
            "GET /model_groups/g/models/m/export": b"PK base",
            "GET /model_groups/g/models/m/optimized_models/o/export": b"PK form",
            "GET /model_groups/g/models/m/optimized_models/o2/export": b"PK second",
        }.get(f"{method} {part}")


class _Handler(BaseHTTPRequestHandler):
    training: Training

    def log_message(self, *_):
        pass

    def _serve(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        assert self.headers["x-api-key"] == TOKEN
        found = self.training.answer(self.command, self.path)
        body = found if isinstance(found, bytes) else json.dumps(found).encode()
        kind = "application/zip" if isinstance(found, bytes) else "application/json"
        self.send_response(204 if found is None else 200)
        if found is not None:
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if found is not None:
            self.wfile.write(body)

    do_GET = do_POST = _serve


@pytest.fixture
def training():
    server = Training()
    yield server
    server.http.shutdown()
    server.http.server_close()


@pytest.fixture
def models(training):
    geti = Geti(host=training.url, token=TOKEN)
    project = geti.get_project(project_id="p")
    training.asked.clear()
    return ModelClient(geti.workspace_id, project, geti.session)


def test_credits_are_told(training):
    assert Geti(host=training.url, token=TOKEN).credit_balance == 7


def test_a_model_is_optimized_and_waited_for(training, models):
    model = models.get_latest_model_by_algo_name("YOLOX")
    training.jobs = [job("scheduled"), job("running"), job("finished")]
    started = models.optimize_model(model, "POT")
    assert "POST /model_groups/g/models/m:optimize" in training.asked
    assert started.is_running and started.state == "scheduled"
    ended = models.monitor_job(started, timeout=60, interval=0)
    assert ended.is_finished and ended is started and not ended.is_running
    with pytest.raises(ValueError, match="pot"):
        models.optimize_model(model, "nncf")


def test_a_job_that_fails_is_told_and_one_that_takes_long_goes_on(training, models):
    training.jobs = [job("running"), job("failed")]
    ended = models.monitor_job(Job.from_dict(job("running")), interval=0)
    assert ended.state == "failed" and not ended.is_finished
    training.jobs = [job("running")]
    assert models.monitor_job(Job.from_dict(job("running")), timeout=0, interval=0).is_running


def test_the_model_of_a_job_is_found(training, models):
    trained = {"model_storage_id": "g", "model_id": "m", "model_activated": True}
    training.jobs = [job("finished", trained_model=trained)]
    assert models.get_model_for_job(Job.from_dict(job("running"))).id == "m"
    with pytest.raises(ValueError, match="not finished"):
        models.get_model_for_job(Job.from_dict(job("running")), check_status=False)
    with pytest.raises(ValueError, match="made no model"):
        models.get_model_for_job(Job.from_dict(job("finished")), check_status=False)
    other = {**job("finished"), "metadata": {"project": {"id": "q"}}}
    with pytest.raises(ValueError, match="no job of the project"):
        models.get_model_for_job(Job.from_dict(other), check_status=False)


def test_models_are_activated_and_purged(training, models):
    models.set_active_model(algorithm="YOLOX")
    models.purge_model(models.get_all_model_groups()[0].models[0])
    posted = [it for it in training.asked if it.startswith("POST")]
    assert posted == ["POST /model_groups/g:activate", "POST /model_groups/g/models/m:purge"]


def test_active_models_are_downloaded(models, tmp_path):
    (model,) = models.download_all_active_models(tmp_path)
    files = {path.name: path.read_bytes() for path in (tmp_path / "models").iterdir()}
    details = json.loads(files.pop("detection_model_details.json"))
    assert details["id"] == model.id == "m"
    assert files == {"YOLOX_base.zip": b"PK base", "YOLOX FP16_MO_optimized.zip": b"PK form"}


def test_names_of_models_lead_out_of_no_folder(training, models, tmp_path):
    forms = [{**FORM, "id": name, "name": "../../out"} for name in ("o", "o2")]
    training.model = {**MODEL, "name": "/../..", "optimized_models": forms}
    models.download_all_active_models(tmp_path / "here")
    files = {str(it.relative_to(tmp_path)) for it in tmp_path.rglob("*") if it.is_file()}
    assert files == {
        f"here/models/{name}"
        for name in (
            "_..__base.zip",
            "_.._out_MO_o_optimized.zip",
            "_.._out_MO_o2_optimized.zip",
            "detection_model_details.json",
        )
    }


def test_a_server_that_does_not_train_says_so(geti, tmp_path):
    project = geti.get_project(project_name="straylight demo")
    models = ModelClient(geti.workspace_id, project, geti.session)
    (active,) = models.get_all_active_models()
    for ask in (
        lambda: models.optimize_model(active),
        lambda: models.purge_model(active),
        lambda: models.download_all_active_models(tmp_path),
    ):
        with pytest.raises(NotSupportedError, match="does not train") as raised:
            ask()
        assert isinstance(raised.value, NotImplementedError)
    with pytest.raises((ServerError, LookupError)):
        models.monitor_job(Job.from_dict(job("running")), timeout=0)
