"""Images of a project."""

from __future__ import annotations

import datetime
import json
import os
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from .._names import records_by_dataset, safe_name
from .._progress import showing
from ..data_models import Dataset, Image, MediaList
from ._base import _ProjectPart

if TYPE_CHECKING:
    import numpy as np


class ImageClient(_ProjectPart):
    """The images of a project, dataset by dataset; the training dataset where none is named."""

    @property
    def plural_media_name(self) -> str:
        """What its media are called in messages."""
        return "images"

    def base_url(self, dataset: Dataset) -> str:
        """Where the images of a dataset are in the REST API, below the organization."""
        project = f"workspaces/{self.workspace_id}/projects/{self.project.id}"
        return f"{project}/datasets/{self._dataset_id(dataset)}/media/images"

    def get_all_images(self, dataset: Dataset | None = None) -> MediaList[Image]:
        """All images of a dataset."""
        place = self._dataset_id(dataset)
        return _images(self._client.images(self.project.id, place), place)

    def upload_image(
        self, image: np.ndarray | str | os.PathLike[str], dataset: Dataset | None = None
    ) -> Image:
        """Uploads an image.

        :param image: a file, sent as it is, or uint8 **RGB** of shape (height, width, 3), sent as
            PNG (the SDK takes arrays as BGR and sends JPEG)
        :param dataset: where to
        """
        place = self._dataset_id(dataset)
        if isinstance(image, (str, os.PathLike)):
            text = self._client.upload_file(self.project.id, place, image)
            source = os.fspath(image)
        else:
            source = None
            now = datetime.datetime.now()
            name = f"numpy_{now:%Y-%m-%dT%H-%M-%S.%f}.png"
            text = self._client.upload_pixels(self.project.id, place, image, name)
        uploaded = Image.from_dict({**json.loads(text), "dataset_id": place})
        uploaded._source = source
        return uploaded

    def upload_from_list(
        self,
        path_to_folder: str,
        image_names: list[str],
        extension_included: bool = False,
        n_images: int = -1,
        skip_if_filename_exists: bool = False,
        image_names_as_full_paths: bool = False,
        dataset: Dataset | None = None,
        max_threads: int = 5,
    ) -> MediaList[Image]:
        """Uploads images of a folder by their names.

        :param path_to_folder: the folder, searched with its subfolders
        :param image_names: names of files
        :param extension_included: whether the names have their extensions
        :param n_images: at most so many; -1 for all
        :param skip_if_filename_exists: whether names that the dataset has are left out
        :param image_names_as_full_paths: whether the names are whole paths
        :param max_threads: accepted for the SDK's sake
        """
        if image_names_as_full_paths:
            paths = list(image_names)
        else:
            known: dict[str, str] = {}
            for folder, _, files in os.walk(path_to_folder):
                for file in files:
                    key = file if extension_included else os.path.splitext(file)[0]
                    known.setdefault(key, os.path.join(folder, file))
            paths = [known[name] for name in image_names if name in known]
        return self._upload(
            paths[: n_images if n_images >= 0 else None], skip_if_filename_exists, dataset
        )

    def upload_folder(
        self,
        path_to_folder: str | os.PathLike[str],
        n_images: int = -1,
        skip_if_filename_exists: bool = False,
        dataset: Dataset | None = None,
        max_threads: int = 5,
    ) -> MediaList[Image]:
        """Uploads the images of a folder and of its subfolders, several at once.

        :param n_images: at most so many; -1 for all
        :param skip_if_filename_exists: whether names that the dataset has are left out
        :param max_threads: accepted for the SDK's sake
        """
        paths = [
            os.path.join(folder, file)
            for folder, _, files in os.walk(path_to_folder)
            for file in files
            if os.path.splitext(file)[1].lower() in _EXTENSIONS
        ]
        paths.sort()
        return self._upload(
            paths[: n_images if n_images >= 0 else None], skip_if_filename_exists, dataset
        )

    def _upload(self, paths: list[str], skip: bool, dataset: Dataset | None) -> MediaList[Image]:
        place = self._dataset_id(dataset)
        present = set(self.get_all_images(dataset).names) if skip else set()
        images: list[Image] = []
        for group in _without_repetition(paths):
            files = {_stem(path): path for path in group}
            with showing() as progress:
                text = self._client.upload_files(self.project.id, place, group, present, progress)
            for image in _images(text, place):
                image._source = files.get(image.name)
                images.append(image)
        order = {path: number for number, path in enumerate(paths)}
        images.sort(key=lambda image: order.get(image._source or "", len(order)))
        return MediaList(images)

    def download_all(
        self,
        path_to_folder: str | os.PathLike[str],
        append_image_uid: bool = False,
        max_threads: int = 10,
        dataset: Dataset | None = None,
    ) -> None:
        """Downloads all images, into ``images`` (and a folder for each dataset, if there are
        several) below a folder.

        The extension is that of the format; the identifier is appended where names collide.

        :param append_image_uid: accepted for the SDK's sake
        :param max_threads: accepted for the SDK's sake
        :param dataset: only this one
        """
        datasets = self._datasets() if dataset is None else [dataset]
        images = [image for one in datasets for image in self.get_all_images(one)]
        records = records_by_dataset(images, self._place_of)
        for one in datasets:
            parts = ["images"] + ([safe_name(one.name)] if len(datasets) > 1 else [])
            place, folder = self._dataset_id(one), os.path.join(path_to_folder, *parts)
            with showing() as progress:
                self._client.download_images(
                    self.project.id, place, records.get(place, "[]"), folder, progress
                )

    def download_image(self, image: Image) -> np.ndarray:
        """The pixels of an image, uint8 RGB of shape (height, width, 3)."""
        place = self._place_of(image)
        return self._client.image_pixels(self.project.id, place, json.dumps(image.to_dict()))

    def _place_of(self, image: Image) -> str:
        return image.dataset_id or self._dataset_id(None)

    def delete_images(self, images: Sequence[Image]) -> bool:
        """Deletes images with their annotations; those that are gone are no error."""
        for image in images:
            self._client.delete_image(self.project.id, self._place_of(image), image.id)
        return True


#: Files of other extensions are no images that servers take.
_EXTENSIONS = {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".bmp", ".tif", ".tiff", ".webp"}


def _images(text: str, dataset: str) -> MediaList[Image]:
    return MediaList(
        [Image.from_dict({**item, "dataset_id": dataset}) for item in json.loads(text)]
    )


def _without_repetition(paths: Sequence[str]) -> list[list[str]]:
    """Groups of files in which no two share a name: what a server answers for a group tells which
    of its files became which image."""
    groups: list[list[str]] = []
    seen: Counter[str] = Counter()
    for path in map(os.fspath, paths):
        number = seen[_stem(path)]
        seen[_stem(path)] += 1
        if number == len(groups):
            groups.append([])
        groups[number].append(path)
    return groups


def _stem(path: str) -> str:
    return os.path.splitext(os.path.basename(path))[0]
