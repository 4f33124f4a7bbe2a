"""Executes the notebook of `examples/`, every cell, against `straylight serve`.

    run_notebook.py --notebook FILE --pictures FOLDER

Runs in an environment with the installed package, OpenCV, tqdm and nbconvert. Makes what the
notebook wants: a project `CUB6` (the demo's, with its photos), a `.env` file, and a small set in
COCO's layout made of the demo's photos. Then looks at what came of it. The pictures that the
notebook shows are kept in FOLDER.
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
from pathlib import Path

import cv2

from straylight import Geti
from straylight.annotation_readers import DirectoryTreeAnnotationReader
from straylight.demos import DEMO_DEPLOYMENT_PATH
from straylight.rest_clients import AnnotationClient, DatasetClient, ImageClient

PROGRAM = Path(sys.executable).with_name("straylight")
DEMO = Path(DEMO_DEPLOYMENT_PATH).parent


def serve(folder):
    """Starts the server with the demo's project under the name that the notebook knows."""
    deployment = folder / "cub6"
    shutil.copytree(DEMO_DEPLOYMENT_PATH, deployment)
    project = json.loads((deployment / "project.json").read_text())
    project["name"] = "CUB6"
    (deployment / "project.json").write_text(json.dumps(project))
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


def fill(geti, folder):
    """Uploads the photos that the demo's model was trained on, with their labels."""
    project = geti.get_project(project_name="CUB6")
    for photo in json.loads((DEMO / "split.json").read_text())["train"]:
        target = folder / "train" / photo["label"] / Path(photo["file"]).name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(DEMO / photo["file"], target)
    images = ImageClient(geti.session, geti.workspace_id, project).upload_folder(folder / "train")
    reader = DirectoryTreeAnnotationReader(folder / "train")
    client = AnnotationClient(geti.session, geti.workspace_id, project, annotation_reader=reader)
    client.upload_annotations_for_images(images)
    return project


def make_coco(folder):
    """Photos of animals in COCO's layout; of the dog eight views, so that there are several."""
    pictures = [("dog", view) for view in range(8)] + [("cat", 0), ("horse", 0), ("cow", 0)]
    names = sorted({name for name, _ in pictures})
    images, annotations = [], []
    (folder / "images/val2017").mkdir(parents=True)
    (folder / "annotations").mkdir()
    for index, (name, view) in enumerate(pictures):
        picture = cv2.imread(str(DEMO / f"photos/farm_animal/{name}.webp"))
        picture = picture[:, ::-1] if view % 2 else picture
        picture = picture[4 * view : picture.shape[0] - 2 * view]
        height, width = picture.shape[:2]
        file = f"{index:012}.jpg"
        cv2.imwrite(str(folder / "images/val2017" / file), picture)
        images.append({"id": index, "file_name": file, "width": width, "height": height})
        annotations.append(
            {
                "id": index,
                "image_id": index,
                "category_id": names.index(name) + 1,
                "bbox": [0, 0, width, height],
                "area": width * height,
                "iscrowd": 0,
            }
        )
    categories = [{"id": i + 1, "name": name} for i, name in enumerate(names)]
    text = json.dumps({"images": images, "annotations": annotations, "categories": categories})
    (folder / "annotations/instances_val2017.json").write_text(text)
    return sum(name == "dog" for name, _ in pictures)


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


def check(executed, geti, project, folder, pictures, dogs):
    """Looks at what came of it."""
    code = [cell for cell in executed["cells"] if cell["cell_type"] == "code"]
    assert len(code) == 16 and all(cell["execution_count"] for cell in code), len(code)
    assert keep_pictures(executed, pictures) == 1
    text = printed(executed)
    assert re.search(r"objects with labels: \['\w+'\]", text), text
    assert "completed in" in text
    # The line of the log that the notebook promises.
    assert "GetiDataCollection: an image is in the" in text, text
    datasets = DatasetClient(workspace_id=geti.workspace_id, project=project, session=geti.session)
    images = ImageClient(geti.session, geti.workspace_id, project)
    counts = {it.name: len(images.get_all_images(it)) for it in datasets.get_all_datasets()}
    print(f"datasets: {counts}")
    assert counts["Dataset"] == 105
    # The photo of a dog went through twice with the OOD hook.
    assert counts["OOD Images Collected"] == 2, counts
    assert counts["Inferred images - no dogs"] == dogs, counts
    seconds = float(re.search(r"50 inference iterations .* in ([\d.]+) seconds", text).group(1))
    assert 1 <= counts["Inferred video frames"] <= seconds + 2, (counts, seconds)
    assert (folder / "deployments/CUB6/deployment/ood").is_dir()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--notebook", required=True, type=Path)
    parser.add_argument("--pictures", required=True, type=Path, help="folder for what it shows")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        process, details = serve(folder)
        try:
            lines = [f"{key}={value}\n" for key, value in details.items()]
            (folder / ".env").write_text("".join(lines))
            geti = Geti(host=details["HOST"], token=details["TOKEN"], ca_file=details["CA_FILE"])
            project = fill(geti, folder)
            dogs = make_coco(folder / "data/coco")
            executed = execute(arguments.notebook, folder)
            check(executed, geti, project, folder, arguments.pictures, dogs)
        finally:
            process.terminate()
            process.wait(timeout=30)
    print("the notebook ran, every cell")


if __name__ == "__main__":
    main()
