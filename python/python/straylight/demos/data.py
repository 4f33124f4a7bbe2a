"""Where the data of examples are, and how they come there."""

from __future__ import annotations

import hashlib
import logging
import os
import urllib.request
import zipfile

from .._progress import showing
from .._runtime import demo_assets
from ..exceptions import FileError


def _user_data() -> str:
    """Folder for data that are downloaded: STRAYLIGHT_DATA, else in the user's cache."""
    named = os.environ.get("STRAYLIGHT_DATA")
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return named or os.path.join(cache, "straylight", "data")


#: Where data are kept that examples need.
DEFAULT_DATA_PATH = _user_data()
#: A photo of a dog.
EXAMPLE_IMAGE_PATH = os.path.join(demo_assets(), "photos", "farm_animal", "dog.webp")
#: The deployment of the demo: a classification of four classes.
DEMO_DEPLOYMENT_PATH = os.path.join(demo_assets(), "deployment")

#: COCO's validation images and annotations, with the SHA-512 of the archives.
_COCO = {
    "http://images.cocodataset.org/zips/val2017.zip": (
        "images",
        "9ea554bcf9e6f88876b1157ab38247eb7c1c57564c05c7345a06ac479c6e7a3b"
        "9c3825150c189d7d3f2e807c95fd0e07fe90161c563591038e697c846ac76007",
    ),
    "http://images.cocodataset.org/annotations/annotations_trainval2017.zip": (
        "",
        "3f00c90323ee745b37a9ac040d00f170d49695ed9ffc1d8e0fbd4c5e2d8e9c69"
        "7fd822b2022df552da5f1892dbcaeb68788416a347b05a20035ed0686f0e1f66",
    ),
}


def _has_coco(folder: str) -> bool:
    images = os.path.join(folder, "images")
    annotations = os.path.join(folder, "annotations")
    if not (os.path.isdir(images) and os.path.isdir(annotations)):
        return False
    names = [name for name in os.listdir(images) if os.path.isdir(os.path.join(images, name))]
    files = os.listdir(annotations)
    return any(f"instances_{name}.json" in files for name in names)


def get_coco_dataset(dataset_path: str | None = None, verbose: bool = False) -> str:
    """The folder of the COCO dataset, downloaded (1 GB) if it is not there.

    :param dataset_path: the folder; ``coco`` in :data:`DEFAULT_DATA_PATH` when None
    :param verbose: whether the log says more
    :return: the folder, with ``images/val2017`` and ``annotations/instances_val2017.json``
    :raises FileError: (an OSError) if it cannot be downloaded
    """
    folder = dataset_path or os.path.join(_user_data(), "coco")
    logger = logging.getLogger("straylight")
    if _has_coco(folder):
        logger.log(logging.INFO if verbose else logging.DEBUG, "COCO is in %s", folder)
        return folder
    os.makedirs(folder, exist_ok=True)
    for url, (below, digest) in _COCO.items():
        _fetch(url, os.path.join(folder, below), digest)
    for name in os.listdir(os.path.join(folder, "annotations")):
        if name != "instances_val2017.json":
            os.remove(os.path.join(folder, "annotations", name))
    return folder


def _fetch(url: str, folder: str, digest: str) -> None:
    """Downloads an archive, checks it, and unpacks it."""
    archive = os.path.join(folder, os.path.basename(url) + ".part")
    os.makedirs(folder, exist_ok=True)
    try:
        found = _download(url, archive)
        if found != digest:
            raise FileError(f"{url} has SHA-512 {found}, not {digest}: download it again")
        with zipfile.ZipFile(archive) as opened:
            opened.extractall(folder)
    except OSError as error:
        if isinstance(error, FileError):
            raise
        raise FileError(
            f"{url} cannot be downloaded: {error}. Put COCO's val2017 images and its "
            f"instances_val2017.json below {folder} by hand, or name their folder"
        ) from error
    finally:
        if os.path.exists(archive):
            os.remove(archive)


def _download(url: str, archive: str) -> str:
    """Downloads a file; returns its SHA-512."""
    digest = hashlib.sha512()
    with urllib.request.urlopen(url, timeout=60) as answer, open(archive, "wb") as file:
        total, done = int(answer.headers.get("Content-Length") or 0), 0
        with showing() as progress:
            while block := answer.read(1 << 20):
                file.write(block)
                digest.update(block)
                done += len(block)
                if progress is not None:
                    progress(f"Downloading {os.path.basename(url)}", done, total)
    return digest.hexdigest()


def set_directory_permissions(
    target_directory: str | os.PathLike[str],
    file_permissions: int = 0o660,
    dir_permissions: int = 0o770,
) -> None:
    """Sets the permissions of a folder, and of all that is in it.

    :param target_directory: the folder
    :param file_permissions: for files
    :param dir_permissions: for folders
    """
    os.chmod(target_directory, dir_permissions)
    for folder, folders, files in os.walk(target_directory):
        for name in folders:
            os.chmod(os.path.join(folder, name), dir_permissions)
        for name in files:
            os.chmod(os.path.join(folder, name), file_permissions)
