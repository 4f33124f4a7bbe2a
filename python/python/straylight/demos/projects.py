"""Projects made of COCO's photos, to try things with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..annotation_readers import DatumAnnotationReader
from .data import get_coco_dataset

if TYPE_CHECKING:
    from ..data_models import Project
    from ..geti import Geti

_DOMESTIC = ["dog", "cat", "horse", "cow", "sheep"]
_WILD = ["elephant", "giraffe", "zebra", "bear"]


def _reader(folder: str, labels: Sequence[str], criterion: str) -> DatumAnnotationReader:
    reader = DatumAnnotationReader(folder, "coco")
    reader.filter_dataset(labels, criterion)
    return reader


def create_segmentation_demo_project(
    geti: Geti,
    n_images: int,
    n_annotations: int = -1,
    auto_train: bool = False,
    dataset_path: str | None = None,
    project_name: str = "Segmentation demo",
) -> Project:
    """A segmentation of backpacks and suitcases.

    :param geti: an open connection
    :param n_images: how many photos are uploaded at most; -1 for all
    :param n_annotations: how many of these are annotated at most; -1 for all
    :param auto_train: whether automatic training is on afterwards
    :param dataset_path: COCO's folder, see :func:`get_coco_dataset`
    :param project_name: name of the project
    """
    wanted = (["backpack", "suitcase"], "OR")
    amounts = (n_images, n_annotations, auto_train)
    return _single(geti, "segmentation", project_name, dataset_path, wanted, amounts)


def create_detection_demo_project(
    geti: Geti,
    n_images: int,
    n_annotations: int = -1,
    auto_train: bool = False,
    dataset_path: str | None = None,
    project_name: str = "Detection demo",
) -> Project:
    """A detection of people and cell phones, of photos that have both; for the arguments see
    :func:`create_segmentation_demo_project`."""
    wanted = (["cell phone", "person"], "AND")
    amounts = (n_images, n_annotations, auto_train)
    return _single(geti, "detection", project_name, dataset_path, wanted, amounts)


def create_classification_demo_project(
    geti: Geti,
    n_images: int,
    n_annotations: int = -1,
    auto_train: bool = False,
    dataset_path: str | None = None,
    project_name: str = "Classification demo",
) -> Project:
    """A classification of horses, cats, zebras and bears, of photos with one kind of these; for
    the arguments see :func:`create_segmentation_demo_project`."""
    wanted = (["horse", "cat", "zebra", "bear"], "XOR")
    amounts = (n_images, n_annotations, auto_train)
    return _single(geti, "classification", project_name, dataset_path, wanted, amounts)


def _single(
    geti: Geti,
    project_type: str,
    name: str,
    folder: str | None,
    wanted: tuple[list[str], str],
    amounts: tuple[int, int, bool],
) -> Project:
    coco = get_coco_dataset(folder)
    return geti.create_single_task_project_from_dataset(
        project_name=name,
        project_type=project_type,
        path_to_images=coco,
        annotation_reader=_reader(coco, *wanted),
        labels=wanted[0],
        number_of_images_to_upload=amounts[0],
        number_of_images_to_annotate=amounts[1],
        enable_auto_train=amounts[2],
    )


def create_detection_to_segmentation_demo_project(
    geti: Geti,
    n_images: int,
    n_annotations: int = -1,
    auto_train: bool = False,
    dataset_path: str | None = None,
    project_name: str = "Animal detection to segmentation demo",
) -> Project:
    """A detection of animals, and a segmentation of each by its kind; for the arguments see
    :func:`create_segmentation_demo_project`."""
    coco = get_coco_dataset(dataset_path)
    kinds = {name: [name] for name in _DOMESTIC}
    amounts = (n_images, n_annotations, auto_train)
    return _chain(geti, "detection_to_segmentation", project_name, coco, kinds, amounts)


def create_detection_to_classification_demo_project(
    geti: Geti,
    n_images: int,
    n_annotations: int = -1,
    auto_train: bool = False,
    dataset_path: str | None = None,
    project_name: str = "Animal detection to classification demo",
) -> Project:
    """A detection of animals, and a classification of each as domestic or wild; for the arguments
    see :func:`create_segmentation_demo_project`."""
    coco = get_coco_dataset(dataset_path)
    kinds = {"domestic": _DOMESTIC, "wild": _WILD}
    amounts = (n_images, n_annotations, auto_train)
    return _chain(geti, "detection_to_classification", project_name, coco, kinds, amounts)


def _chain(
    geti: Geti,
    project_type: str,
    name: str,
    coco: str,
    kinds: dict[str, list[str]],
    amounts: tuple[int, int, bool],
) -> Project:
    """A detection of `animal` before a task whose labels each stand for some kinds."""
    animals = [animal for names in kinds.values() for animal in names]
    first, second = (_reader(coco, animals, "OR") for _ in range(2))
    first.group_labels(animals, "animal")
    for kind, names in kinds.items():
        if names != [kind]:
            second.group_labels(names, kind)
    return geti.create_task_chain_project_from_dataset(
        project_name=name,
        project_type=project_type,
        path_to_images=coco,
        label_source_per_task=[first, second],
        number_of_images_to_upload=amounts[0],
        number_of_images_to_annotate=amounts[1],
        enable_auto_train=amounts[2],
    )
