"""The two projects that the notebook runs against: the demo's classes, and a detector of dogs.

Each writes a deployment, fills the project of the server with what the OOD model is fitted on,
makes the set of images that the notebook takes for COCO, and says what must come of it.
"""

import json
import re
import shutil
from pathlib import Path

import cv2
import numpy as np
from dog_detector import Scenes, overlap, write_coco, write_deployment

from straylight.annotation_readers import DatumAnnotationReader, DirectoryTreeAnnotationReader
from straylight.demos import DEMO_DEPLOYMENT_PATH
from straylight.rest_clients import AnnotationClient, ImageClient

#: The name of the project in the notebook.
NAME = "CUB6"
DEMO = Path(DEMO_DEPLOYMENT_PATH).parent


class Classes:
    """The project of the demo: fish, monuments, renewables and tools. It knows no dogs."""

    name = "classification"

    def write_deployment(self, folder):
        """The demo's deployment under the name that the notebook knows."""
        shutil.copytree(DEMO_DEPLOYMENT_PATH, folder)
        project = json.loads((folder / "project.json").read_text())
        project["name"] = NAME
        (folder / "project.json").write_text(json.dumps(project))

    def fill(self, geti, folder):
        """Uploads the photos that the demo's model was trained on; returns how many."""
        photos = json.loads((DEMO / "split.json").read_text())["train"]
        for photo in photos:
            target = folder / photo["label"] / Path(photo["file"]).name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(DEMO / photo["file"], target)
        upload(geti, folder, DirectoryTreeAnnotationReader(folder))
        return len(photos)

    def make_coco(self, folder):
        """Twelve pictures with a dog and three without."""
        scenes = Scenes(DEMO, seed=7)
        write_coco(folder, [scenes.four(with_dog=index % 5 != 4) for index in range(15)])
        return 12

    def check(self, run):
        """It is a stranger to dogs: no picture has one, and the photo of the dog is strange."""
        assert not (run.folder / "hook_data/dogs/images").exists()
        assert run.counts["Inferred images - no dogs"] == run.dogs, run.counts
        # The photo of a dog went through twice with the OOD hook.
        assert run.counts["OOD Images Collected"] == 2, run.counts
        # The line of the log that the notebook promises.
        assert "GetiDataCollection: an image is in the" in run.text, run.text


class Dogs:
    """A project with one label, `dog`, and a detector that finds what is not too small."""

    name = "detection"

    def __init__(self):
        self.training = Scenes(DEMO, seed=1).training()
        scenes = Scenes(DEMO, seed=2)
        self.found = [scenes.four(with_dog=True) for _ in range(5)]
        self.found += [scenes.on_another(side) for side in (320, 320, 448)]
        self.too_small = [scenes.on_another(48) for _ in range(4)]
        self.without = [scenes.four(with_dog=False) for _ in range(3)]

    def write_deployment(self, folder):
        """Fits the detector and writes a deployment of it."""
        write_deployment(DEMO, folder, NAME, self.training)

    def fill(self, geti, folder):
        """Uploads the scenes that the detector was fitted on, with boxes; returns how many."""
        write_coco(folder, self.training)
        reader = DatumAnnotationReader(folder, annotation_format="coco")
        upload(geti, folder / "images/val2017", reader)
        return len(self.training)

    def make_coco(self, folder):
        """Scenes with dogs large and small, and some without."""
        write_coco(folder, [*self.found, *self.without, *self.too_small])
        return len(self.found) + len(self.too_small)

    def check(self, run):
        """Every large dog is in the folder, where it is in the picture; every small one is not."""
        assert re.search(r"objects with labels: \['dog'\]", run.text), run.text
        assert run.counts["Inferred images - no dogs"] == len(self.too_small), run.counts
        # The photo of the dog is one of those that the detector was made with: it is no stranger.
        assert run.counts.get("OOD Images Collected", 0) == 0, run.counts
        folder = run.folder / "hook_data/dogs"
        parts = ("images", "overlays", "predictions", "scores")
        stems = {part: sorted(file.stem for file in (folder / part).iterdir()) for part in parts}
        assert all(found == stems["images"] for found in stems.values()), stems
        assert len(stems["images"]) == len(self.found), stems["images"]
        left = list(self.found)
        for image in sorted((folder / "images").iterdir()):
            scene = min(left, key=lambda it: difference(it.picture, cv2.imread(str(image))))
            left = [it for it in left if it is not scene]
            said = json.loads((folder / "predictions" / f"{image.stem}.json").read_text())
            boxes = [corners(it["shape"]) for it in said["annotations"]]
            assert len(boxes) == 1 and overlap(boxes[0], scene.dog) > 0.5, (boxes, scene.dog)
            assert float((folder / "scores" / f"{image.stem}.txt").read_text()) == 1


def corners(shape):
    """A box as (x1, y1, x2, y2)."""
    return shape["x"], shape["y"], shape["x"] + shape["width"], shape["y"] + shape["height"]


def difference(one, other):
    """The mean difference of two pictures of one size, in grey levels."""
    return float(np.abs(one.astype(int) - other).mean())


def upload(geti, folder, reader):
    """Uploads the images of a folder and the annotations that a reader has for them."""
    project = geti.get_project(project_name=NAME)
    images = ImageClient(geti.session, geti.workspace_id, project).upload_folder(folder)
    client = AnnotationClient(geti.session, geti.workspace_id, project, annotation_reader=reader)
    client.upload_annotations_for_images(images)
