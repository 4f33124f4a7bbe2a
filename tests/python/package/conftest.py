"""What the tests of the installed package share."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import straylight
from straylight.demos import DEMO_DEPLOYMENT_PATH
from straylight.deployment import Deployment

PROGRAM = Path(sys.executable).with_name("straylight")


def of_project(kind, geti, project, **more):
    """The client of this kind for a project."""
    return kind(session=geti.session, workspace_id=geti.workspace_id, project=project, **more)


def pytest_report_header():
    return f"straylight {straylight.__version__} in {Path(straylight.__file__).parent}"


@pytest.fixture(scope="session", autouse=True)
def installed():
    """The tests are of the installed package, never of the source tree."""
    assert "site-packages" in straylight.__file__, straylight.__file__


@pytest.fixture(scope="session")
def photos():
    return Path(DEMO_DEPLOYMENT_PATH).parent / "photos"


@pytest.fixture(scope="session")
def split(photos):
    return json.loads((photos.parent / "split.json").read_text())


@pytest.fixture(scope="session")
def loaded():
    """One deployment for tests that attach nothing to it."""
    return Deployment.from_folder(DEMO_DEPLOYMENT_PATH)


@pytest.fixture
def deployment():
    return Deployment.from_folder(DEMO_DEPLOYMENT_PATH)


@pytest.fixture
def image():
    return np.random.default_rng(7).integers(0, 255, (120, 160, 3), dtype=np.uint8)


@pytest.fixture(scope="session")
def fitted(loaded, photos, split, tmp_path_factory):
    """An OOD model fitted on the photos that the model was trained on."""
    from straylight.detect_ood import fit_on_folder

    folder = tmp_path_factory.mktemp("known")
    for photo in split["train"]:
        source = photos.parent / photo["file"]
        target = folder / photo["label"] / source.name
        target.parent.mkdir(exist_ok=True)
        os.link(source, target) if source.stat().st_dev == folder.stat().st_dev else (
            target.write_bytes(source.read_bytes())
        )
    return fit_on_folder(Deployment.from_folder(DEMO_DEPLOYMENT_PATH), folder, progress=False)


class Server:
    """`straylight serve` with the project of the demo."""

    def __init__(self, folder):
        command = [
            PROGRAM,
            "serve",
            "--store",
            folder / "store",
            "--listen",
            "127.0.0.1:0",
            "--deployment",
            DEMO_DEPLOYMENT_PATH,
        ]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        said = ""
        for line in self.process.stdout:
            said += line
            if "Ctrl-C" in line:
                break
        found = lambda pattern: re.search(pattern, said).group(1)  # noqa: E731
        self.url = found(r"REST API\s+(\S+)").rstrip("/")
        self.token = found(r"Token\s+(\S+)")
        self.certificate = found(r"Certificate\s+(\S+)")

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=30)


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("server"))
    yield server
    server.stop()


@pytest.fixture(scope="session")
def geti(server):
    return straylight.Geti(host=server.url, token=server.token, ca_file=server.certificate)
