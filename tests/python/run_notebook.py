"""Executes the notebook of `examples/`, every cell, against `straylight serve`.

    run_notebook.py --notebook FILE --pictures FOLDER [--only PROJECT]

Runs in an environment with the installed package, OpenCV, scikit-learn, tqdm and nbconvert. The
notebook is executed twice, against two projects `CUB6` (see `notebook_projects`): one of a
classification, one of a detection. Each time a server, a `.env` file and a small set in COCO's
layout are made; then it is looked at what came of it. What the notebook shows and what its hook
draws is kept in FOLDER.
"""

import argparse
import base64
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from notebook_projects import NAME, Classes, Dogs

from straylight import Geti
from straylight.rest_clients import DatasetClient, ImageClient

PROGRAM = Path(sys.executable).with_name("straylight")


@dataclass
class Run:
    """What came of an execution."""

    #: The folder that the notebook ran in.
    folder: Path
    #: Everything that the cells printed.
    text: str
    #: Images of each dataset of the project.
    counts: dict[str, int]
    #: How many pictures of the set have a dog by their annotation.
    dogs: int


def serve(folder, deployment):
    """Starts a server with the project of a deployment; returns its process and its address."""
    command = [PROGRAM, "serve", "--store", folder / "store", "--listen", "127.0.0.1:0"]
    process = subprocess.Popen(
        [*command, "--deployment", deployment], stdout=subprocess.PIPE, text=True
    )
    said = ""
    for line in process.stdout:
        said += line
        if "Ctrl-C" in line:
            break
    keys = {"HOST": "REST API", "TOKEN": "Token", "CA_FILE": "Certificate"}
    found = {key: re.search(rf"{word}\s+(\S+)", said) for key, word in keys.items()}
    if not all(found.values()):
        process.terminate()
        raise SystemExit(f"the server did not start as expected:\n{said}")
    return process, {key: match.group(1).rstrip("/") for key, match in found.items()}


def execute(notebook, folder):
    """Executes the notebook in the folder; a cell that raises ends it."""
    shutil.copy(notebook, folder / "notebook.ipynb")
    command = [
        sys.executable,
        "-m",
        "nbconvert",
        "--to",
        "notebook",
        "--execute",
        "--inplace",
        "--ExecutePreprocessor.timeout=600",
        "notebook.ipynb",
    ]
    environment = {
        **os.environ,
        "STRAYLIGHT_DATA": str(folder / "data"),
        "XDG_DATA_HOME": str(folder / "home"),
    }
    subprocess.run(command, cwd=folder, env=environment, check=True)
    return json.loads((folder / "notebook.ipynb").read_text())


def keep_pictures(executed, folder):
    """Writes the pictures in the outputs into a folder; returns how many there are."""
    folder.mkdir(parents=True, exist_ok=True)
    count = 0
    for cell in executed["cells"]:
        for output in cell.get("outputs", []):
            png = output.get("data", {}).get("image/png")
            if png:
                text = "".join(png) if isinstance(png, list) else png
                (folder / f"picture-{count}.png").write_bytes(base64.b64decode(text))
                count += 1
    return count


def printed(executed):
    """Everything that the cells printed."""
    outputs = [output for cell in executed["cells"] for output in cell.get("outputs", [])]
    return "".join("".join(output.get("text", "")) for output in outputs)


def images_by_dataset(geti):
    """How many images each dataset of the project has."""
    project = geti.get_project(project_name=NAME)
    datasets = DatasetClient(workspace_id=geti.workspace_id, project=project, session=geti.session)
    images = ImageClient(geti.session, geti.workspace_id, project)
    return {it.name: len(images.get_all_images(it)) for it in datasets.get_all_datasets()}


def check(run, trained):
    """What holds for every project."""
    assert re.search(r"objects with labels: \['\w+'\]", run.text), run.text
    assert "with 2 post-inference hooks completed in" in run.text
    assert run.counts["Dataset"] == trained, run.counts
    timed = re.search(r"50 inference iterations .* in ([\d.]+) seconds", run.text)
    assert 1 <= run.counts["Inferred video frames"] <= float(timed.group(1)) + 2, run.counts
    # The notebook has cleared its hooks by then; the OOD model stays.
    assert (run.folder / f"deployments/{NAME}/deployment/ood").is_dir()


def run_once(project, notebook, pictures):
    """Executes the notebook against one project, and looks at what came of it."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        project.write_deployment(folder / "made")
        process, details = serve(folder, folder / "made")
        try:
            lines = [f"{key}={value}\n" for key, value in details.items()]
            (folder / ".env").write_text("".join(lines))
            geti = Geti(host=details["HOST"], token=details["TOKEN"], ca_file=details["CA_FILE"])
            trained = project.fill(geti, folder / "train")
            dogs = project.make_coco(folder / "data/coco")
            executed = execute(notebook, folder)
            code = [cell for cell in executed["cells"] if cell["cell_type"] == "code"]
            assert len(code) == 16 and all(cell["execution_count"] for cell in code), len(code)
            assert keep_pictures(executed, pictures) == 1
            run = Run(folder, printed(executed), images_by_dataset(geti), dogs)
        finally:
            process.terminate()
            process.wait(timeout=30)
        print(f"{project.name}: datasets {run.counts}", flush=True)
        if (folder / "hook_data/dogs/overlays").is_dir():
            shutil.copytree(folder / "hook_data/dogs/overlays", pictures, dirs_exist_ok=True)
        check(run, trained)
        project.check(run)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--notebook", required=True, type=Path)
    parser.add_argument("--pictures", required=True, type=Path, help="folder for what it shows")
    parser.add_argument("--only", choices=[Classes.name, Dogs.name])
    arguments = parser.parse_args()
    shutil.rmtree(arguments.pictures, ignore_errors=True)
    for project in (Classes, Dogs):
        if arguments.only in (None, project.name):
            run_once(project(), arguments.notebook, arguments.pictures / project.name)
    print("the notebook ran, every cell, against " + (arguments.only or "both projects"))


if __name__ == "__main__":
    main()
