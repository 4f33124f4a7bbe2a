"""Readers of annotations: COCO, Datumaro, Pascal VOC, YOLO, folders, Geti's own."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Sequence
from typing import Any

from .. import _native
from ..data_models import Annotation, MediaInformation, Rectangle, ScoredLabel, TaskType
from ..exceptions import NotSupportedError

#: The SDK's names of formats, and ours.
_FORMATS = {"coco": "coco", "datumaro": "datumaro", "voc": "voc", "yolo": "yolo"}


class AnnotationReader:
    """Reads annotations; what is bad is left out and listed in :attr:`problems`.

    :param base_data_folder: the folder, one annotation file, or a zip file
    :param annotation_format: ``coco``, ``datumaro``, ``voc``, ``yolo``, ``tree``, ``geti``,
        ``cvat``, ``labelme``, ``labelstudio``, ``fiftyone``, ``kitti`` or ``csv``; found by itself
        when None or ``.json``
    :param task_type: what the annotations are for; a task of whole images takes each label of an
        image as one of the whole image
    :param anomaly_reduction: whether every label is taken as one of the whole image, as servers
        take anomalies since Geti 2.5
    """

    def __init__(
        self,
        base_data_folder: str | os.PathLike[str],
        annotation_format: str | None = ".json",
        task_type: TaskType | str | None = TaskType.DETECTION,
        anomaly_reduction: bool = False,
    ) -> None:
        self.base_folder = os.fspath(base_data_folder)
        self.task_type = None if task_type is None else TaskType(task_type)
        self.anomaly_reduction = anomaly_reduction
        self._format = None if annotation_format == ".json" else annotation_format
        self._set = _native.Annotations.read(self.base_folder, self._format)
        self._filters: list[dict[str, Any]] = []
        self._is_grouped = False
        self._places: dict[str, list[int]] | None = None
        #: The labels that the filters are about; None for all.
        self._about: list[str] | None = None

    @property
    def problems(self) -> list[str]:
        """What was left out and why, one line each."""
        return self._set.problems

    def get_all_label_names(self) -> list[str]:
        """The names of all labels; after :meth:`filter_dataset` of those that it names."""
        about = self._about
        return [name for name in self._set.labels if about is None or name in about]

    def get_data_filenames(self) -> list[str]:
        """The names of the image files, with extension."""
        return [os.path.basename(name) for name, _ in self._set.images]

    def get_all_image_names(self) -> list[str]:
        """The names of the images, without folder and extension."""
        return [_stem(name) for name, _ in self._set.images]

    def get_image_paths(self) -> list[str]:
        """The image files."""
        return [os.fspath(path) for _, path in self._set.images]

    def filter_dataset(self, labels: Sequence[str], criterion: str = "OR") -> None:
        """Keeps the images that have certain labels.

        :param labels: names of labels
        :param criterion: ``OR`` for any of them, ``AND`` for all, ``NOT`` for none, ``XOR`` for
            exactly one
        """
        criterion = criterion.upper()
        known = self.get_all_label_names()
        names = [_quoted(name) for name in labels]
        if criterion in ("OR", "AND"):
            self._set.retain_labels(list(labels), criterion == "AND")
        elif criterion == "NOT":
            self._set.retain(f"not ({' or '.join(names)})")
        elif criterion == "XOR":
            self._set.retain(" or ".join(_only(name, names) for name in names))
        else:
            raise ValueError(f"`{criterion}` is no criterion: use OR, AND, NOT or XOR")
        is_not = criterion == "NOT"
        self._about = [name for name in known if (name in labels) != is_not]
        self._changed({"labels": list(labels), "criterion": criterion})

    def filter(self, rule: str) -> None:
        """Keeps the images that a rule accepts, such as ``dog and not (cat or "guide dog")``."""
        self._set.retain(rule)
        self._changed({"rule": rule})

    @property
    def applied_filters(self) -> list[dict[str, Any]]:
        """The filters since the last reset."""
        return list(self._filters)

    def group_labels(self, labels_to_group: list[str], group_name: str) -> None:
        """Gives one name to several labels."""
        self._set.group(list(labels_to_group), group_name)
        self._is_grouped = True
        if self._about is not None and any(name in labels_to_group for name in self._about):
            others = [name for name in self._about if name not in labels_to_group]
            self._about = [*others, group_name]

    def reset_filters_and_grouping(self) -> None:
        """Takes all images again, with their own labels."""
        self._set = _native.Annotations.read(self.base_folder, self._format)
        self._filters = []
        self._is_grouped = False
        self._places = None
        self._about = None

    def get_annotation_stats(self) -> dict[str, dict[str, int]]:
        """For each label the number of images and of objects."""
        counts = self._set.counts
        return {
            name: {"n_images": images, "n_objects": objects} for name, images, objects in counts
        }

    def write(
        self,
        folder: str | os.PathLike[str],
        annotation_format: str = "yolo",
        split: str | None = None,
        seed: int = 0,
        yolo_task: str | None = None,
        merge: bool = False,
        copy_images: bool = True,
    ) -> dict[str, Any]:
        """Writes the images that the filters left, with their annotations, into a folder.

        :param folder: a new or empty folder; with ``merge`` one with a YOLO dataset
        :param annotation_format: ``yolo``, ``coco``, ``datumaro``, ``voc``, ``tree`` or ``geti``
        :param split: shares of train, val and test, such as ``80/10/10``; near-duplicates and
            frames of one video stay on one side, every label is shared out alike, and the same
            images give the same parts. The parts of the source are kept when None
        :param seed: another number shares the images out in another way
        :param yolo_task: ``detect``, ``segment``, ``pose`` or ``obb``; what keeps most when None
        :param merge: whether the images are added to the dataset that is in the folder, whose
            classes keep their numbers
        :param copy_images: whether the image files are copied beside the annotations
        :returns: ``images`` and ``objects``; ``parts`` with the number of images of each if there
            was a split; ``losses``, what the format cannot hold, image by image, and ``summary``,
            the same in sum
        """
        text = self._set.write(
            folder, annotation_format, split, seed, yolo_task, merge, copy_images
        )
        done: dict[str, Any] = json.loads(text)
        return done

    def prepare_and_set_dataset(
        self, task_type: TaskType | str, previous_task_type: TaskType | None = None
    ) -> None:
        """Sets what the annotations are for."""
        self.task_type = TaskType(task_type)

    def get_keypoint_joints(self) -> set[tuple[int, int]]:
        """Not supported, as by the readers of the SDK.

        :raises NotSupportedError: always; give ``keypoint_structure`` to what makes a project
        """
        raise NotSupportedError("joints of key points are not read: give `keypoint_structure`")

    def get_data(
        self,
        filename: str,
        label_name_to_id_mapping: dict[str, str],
        media_information: MediaInformation,
        preserve_shape_for_global_labels: bool = False,
    ) -> list[Annotation]:
        """The annotations of an image; none if there is no such image, and none, with a warning,
        if several have the name and not the same annotations.

        :param filename: its name, with or without extension
        :param label_name_to_id_mapping: identifiers of labels by their names
        :param media_information: its size
        :param preserve_shape_for_global_labels: whether shapes stay for a task of whole images
        """
        ids, keep = label_name_to_id_mapping, preserve_shape_for_global_labels
        places = self._named(filename) or self._named(_stem(filename))
        found = [self._objects(place, ids, media_information, keep) for place in places]
        if any(one != found[0] for one in found):
            _warn(f"{len(found)} images of {self.base_folder} have the name `{filename}`")
            return []
        return found[0] if found else []

    def _data_at(
        self, path: str, ids: dict[str, str], media_information: MediaInformation, keep: bool
    ) -> list[Annotation]:
        """The annotations of the image of a file, whatever others of its name there are; none,
        with a warning, if the reader does not know the file."""
        places = self._named(os.path.realpath(path)) or self._absent(path)
        if len(places) != 1:
            _warn(f"{self!r} does not tell which of the images of its name {path} is")
            return []
        return self._objects(places[0], ids, media_information, keep)

    def _absent(self, path: str) -> list[int]:
        """The images whose files are elsewhere than the reader says, and of which this is one."""
        images, parts = self._set.images, _parts(path)
        return [
            place
            for place in self._named(_stem(path))
            if not os.path.exists(images[place][1])
            and parts[-len(_parts(images[place][0])) :] == _parts(images[place][0])
        ]

    def _is_repeated(self, name: str) -> bool:
        """Whether several images have a name."""
        return len(self._named(name)) > 1

    def _objects(
        self, index: int, ids: dict[str, str], media_information: MediaInformation, keep: bool
    ) -> list[Annotation]:
        """The annotations of an image by its index."""
        is_global = self.task_type is not None and self.task_type.is_global
        whole = is_global or self.anomaly_reduction
        found: list[Annotation] = []
        for shape, names in self._set.objects(index):
            if whole and not keep:
                shape = Rectangle.generate_full_box(
                    media_information.width, media_information.height
                )
            labels = [ScoredLabel(1.0, name, id=ids[name]) for name in names if name in ids]
            _add(found, shape, labels)
        return found

    def _named(self, name: str) -> list[int]:
        """The images of a real path, of a name with folders, of a file name, or of a stem."""
        if self._places is None:
            self._places = {}
            for place, (own, path) in enumerate(self._set.images):
                for key in {os.path.realpath(path), own, os.path.basename(own), _stem(own)}:
                    self._places.setdefault(key, []).append(place)
        return self._places.get(name, [])

    def _changed(self, applied: dict[str, Any]) -> None:
        self._filters.append(applied)
        self._places = None

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.base_folder}, {len(self._set.images)} images)"


class DatumAnnotationReader(AnnotationReader):
    """Reads COCO, Datumaro, Pascal VOC or YOLO.

    :param base_data_folder: the folder of the dataset
    :param annotation_format: ``coco``, ``datumaro``, ``voc`` or ``yolo``
    :param task_type: what the annotations are for
    """

    def __init__(
        self,
        base_data_folder: str | os.PathLike[str],
        annotation_format: str,
        task_type: TaskType | str | None = None,
    ) -> None:
        name = annotation_format.lower()
        super().__init__(base_data_folder, _FORMATS.get(name, name), task_type)


class DirectoryTreeAnnotationReader(AnnotationReader):
    """Reads a folder for each label.

    :param base_data_folder: the folder above them
    :param subset_folder_names: accepted for the SDK's sake; parts are known by their names
    :param task_type: what the annotations are for
    """

    def __init__(
        self,
        base_data_folder: str | os.PathLike[str],
        subset_folder_names: Sequence[str] | None = None,
        task_type: TaskType | str = TaskType.CLASSIFICATION,
    ) -> None:
        super().__init__(base_data_folder, "tree", task_type)
        self._own_labels()

    def _own_labels(self) -> None:
        self._label_map = {name: name for name in self.get_all_label_names()}

    @property
    def label_map(self) -> dict[str, str]:
        """The label that each folder stands for, by the folder's name."""
        return dict(self._label_map)

    def filter_dataset(self, labels: Sequence[str], criterion: str = "OR") -> None:
        super().filter_dataset(labels, criterion)
        self._own_labels()

    def group_labels(self, labels_to_group: list[str], group_name: str) -> None:
        super().group_labels(labels_to_group, group_name)
        for folder, label in self._label_map.items():
            if label in labels_to_group:
                self._label_map[folder] = group_name

    def reset_filters_and_grouping(self) -> None:
        super().reset_filters_and_grouping()
        self._own_labels()

    def get_data(
        self,
        filename: str,
        label_name_to_id_mapping: dict[str, str],
        media_information: MediaInformation,
        preserve_shape_for_global_labels: bool = False,
        image_name_as_full_path: bool = False,
    ) -> list[Annotation]:
        """The annotations of an image; none if there is no such image.

        :param image_name_as_full_path: whether ``filename`` is the path of the file, which tells
            images of one name in several folders apart
        """
        ids, keep = label_name_to_id_mapping, preserve_shape_for_global_labels
        if not image_name_as_full_path:
            return super().get_data(filename, ids, media_information, keep)
        places = self._named(os.path.realpath(filename))
        return self._objects(places[0], ids, media_information, keep) if places else []


class GetiAnnotationReader(AnnotationReader):
    """Reads what was downloaded of a Geti project: ``images`` and ``annotations``.

    :param base_data_folder: the folder above them
    :param annotation_format: accepted for the SDK's sake
    :param task_type: what the annotations are for
    :param label_names_to_include: labels that are read; all when None
    :param anomaly_reduction: see :class:`AnnotationReader`
    """

    def __init__(
        self,
        base_data_folder: str | os.PathLike[str],
        annotation_format: str = ".json",
        task_type: TaskType | str | None = None,
        label_names_to_include: list[str] | None = None,
        anomaly_reduction: bool = False,
    ) -> None:
        super().__init__(base_data_folder, "geti", task_type, anomaly_reduction)
        self._included = label_names_to_include

    def get_all_label_names(self) -> list[str]:
        """The names of the labels that are read."""
        names = super().get_all_label_names()
        return [name for name in names if self._included is None or name in self._included]

    def _refuse_for_videos(self) -> None:
        """Raises a ValueError if not all annotations are to be taken as they are: files of frames
        are uploaded whole."""
        if self._filters or self._is_grouped or self._included is not None:
            raise ValueError(
                "annotations of videos are uploaded as they were downloaded: give a reader without "
                "filters, groups of labels and `label_names_to_include`, or leave the videos out"
            )


def _stem(name: str) -> str:
    return os.path.splitext(os.path.basename(name))[0]


def _parts(path: str) -> list[str]:
    return path.replace("\\", "/").split("/")


def _warn(what: str) -> None:
    logging.getLogger("straylight").warning("not annotated: %s", what)


def _quoted(name: str) -> str:
    text = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'


def _only(name: str, names: list[str]) -> str:
    others = [other for other in names if other != name]
    return f"({name} and not ({' or '.join(others)}))" if others else name


def _add(found: list[Annotation], shape: Any, labels: list[ScoredLabel]) -> None:
    """Adds labels to a shape; labels of one shape are gathered."""
    present = next((annotation for annotation in found if annotation.shape == shape), None)
    if present is None and labels:
        found.append(Annotation(labels=labels, shape=shape))
    elif present is not None:
        names = present.label_names
        present.extend_labels([label for label in labels if label.name not in names])
