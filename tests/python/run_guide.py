"""Runs every `python` block of the pages, in the order of the pages.

    run_guide.py PAGE...

The blocks of a page share their names, as cells of a notebook do, and run in a scratch folder with
what the guide takes for granted: `deployment` and `photos`, a folder for each class, of the demo,
a photo, `photo.jpg`, and a server that the environment names. What a page says in other words about
what comes of it is looked at here.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from contextlib import contextmanager
from pathlib import Path

import cv2

from straylight.demos import DEMO_DEPLOYMENT_PATH

DEMO = Path(DEMO_DEPLOYMENT_PATH).parent


def blocks(page):
    """The first line's number and the text of each `python` block of a page."""
    text = page.read_text()
    for match in re.finditer(r"^```python[^\n]*\n(.*?)^```$", text, re.DOTALL | re.MULTILINE):
        yield text.count("\n", 0, match.start(1)) + 1, match.group(1)


def make(folder):
    """Makes what the guide takes for granted."""
    shutil.copytree(DEMO_DEPLOYMENT_PATH, folder / "deployment")
    for photo in json.loads((DEMO / "split.json").read_text())["train"]:
        target = folder / "photos" / photo["label"] / Path(photo["file"]).name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(DEMO / photo["file"], target)
    picture = cv2.imread(str(DEMO / "photos/farm_animal/dog.webp"))
    cv2.imwrite(str(folder / "photo.jpg"), picture)


def run(page):
    """Runs the blocks of one page; returns how many there are."""
    names = {"__name__": "__main__"}
    count = 0
    for line, code in blocks(page):
        # As many empty lines before it: an error names the line of the page.
        exec(compile("\n" * (line - 1) + code, str(page), "exec"), names)
        count += 1
    CHECKS.get(page.name, check_hooks)(page, names)
    return count


def check_hooks(page, names):
    """What the pages promise: a stray is collected, and OOD model and hooks are saved."""
    from straylight.deployment import Deployment

    assert names["deployment"].await_hooks(), page
    parts = ("images", "overlays", "predictions", "scores")
    files = {part: len(os.listdir(f"strays/{part}")) for part in parts}
    assert files == dict.fromkeys(parts, 1), (page, files)
    saved = Deployment.from_folder("fitted")
    assert saved.ood_model is not None, page
    assert len(saved.post_inference_hooks) == 1, page


def check_server(page, names):
    """What the page about servers promises: a project of the photos, as archive and as folder."""
    photos = sorted(path.stem for path in Path("photos").rglob("*.webp"))
    with zipfile.ZipFile("photos.zip") as archive:
        written = [Path(name) for name in archive.namelist()]
    assert sorted(name.stem for name in written if name.suffix == ".webp") == photos, page
    annotations = list(Path("four-classes/annotations").glob("*.json"))
    assert len(annotations) == len(photos), page
    assert names["prediction"].annotations, page


#: How the pages are looked at that are not about hooks.
CHECKS = {"geti.md": check_server}


@contextmanager
def served(folder):
    """`straylight serve` with the project of the demo, named by the environment."""
    program = Path(sys.executable).with_name("straylight")
    command = [program, "serve", "--store", folder, "--listen", "127.0.0.1:0"]
    command += ["--deployment", DEMO_DEPLOYMENT_PATH]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    said = ""
    for line in process.stdout:
        said += line
        if "Ctrl-C" in line:
            break
    try:
        for key, name in {"HOST": "REST API", "TOKEN": "Token", "CA_FILE": "Certificate"}.items():
            os.environ[f"GETI_{key}"] = re.search(rf"{name}\s+(\S+)", said).group(1).rstrip("/")
        yield
    finally:
        process.terminate()
        process.wait(timeout=30)


def main():
    home, total = Path.cwd(), 0
    for page in [home / name for name in sys.argv[1:]]:
        if not any(blocks(page)):
            continue
        with tempfile.TemporaryDirectory() as temporary:
            make(Path(temporary))
            os.chdir(temporary)
            with served(Path(temporary) / "store"):
                total += run(page)
            os.chdir(home)
    assert total >= 3, "the pages have lost their Python"
    print(f"{total} blocks of Python on the pages ran")


if __name__ == "__main__":
    main()
