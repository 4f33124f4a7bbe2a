"""File names for what a server names: such names are free text and need not be unique.

The rules are those by which the extension names images and annotations, so that the predictions of
an image have the name that its file has. One difference: what gets an identifier is shortened
before that, not after, to at most 180 bytes in all.
"""

from __future__ import annotations

import json
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from .data_models.media import MediaItem

#: The longest name in bytes; with an extension it fits any file system.
_LONGEST = 180

#: Names that Windows keeps for devices.
_RESERVED = {"con", "prn", "aux", "nul"} | {
    f"{it}{n}" for it in ("com", "lpt") for n in range(1, 10)
}


def safe_name(name: str, longest: int = _LONGEST) -> str:
    """A name that is a single, visible, ordinary component of a path on every system.

    :param longest: bytes of UTF-8, one more for names that have to be changed to be ordinary
    """
    letters = ("_" if _is_forbidden(letter) else letter for letter in name)
    cut = "".join(letters).encode("utf-8", "ignore")[:longest].decode("utf-8", "ignore")
    # Windows drops dots and blanks at the end; a dot at the beginning hides a file.
    trimmed = cut.rstrip(". ").lstrip(". ")
    is_device = trimmed.split(".")[0].lower() in _RESERVED
    return f"_{trimmed}" if is_device or not trimmed else trimmed


def _is_forbidden(letter: str) -> bool:
    return letter in r'/\:*?"<>|' or unicodedata.category(letter) == "Cc"


def unique_names(named: Sequence[tuple[str, str]]) -> list[str]:
    """A safe name for each pair of name and identifier, unique also where upper and lower case are
    the same: where several share a name, all of them get ``_<identifier>``."""
    names = [safe_name(name) for name, _ in named]
    counts = Counter(name.lower() for name in names)
    return [
        name if counts[name.lower()] == 1 else _with_identifier(name, identifier)
        for name, (_, identifier) in zip(names, named, strict=True)
    ]


def _with_identifier(name: str, identifier: str) -> str:
    end = f"_{safe_name(identifier, _LONGEST // 2)}"
    return safe_name(name, _LONGEST - len(end.encode())) + end


def stems(media: Sequence[MediaItem]) -> list[str]:
    """A file name without extension for each medium, which no other of them has."""
    return unique_names([(item.name, item.id) for item in media])


def records_by_dataset(media: Sequence[Any], place_of: Callable[[Any], str]) -> dict[str, str]:
    """The records of media as JSON, by the identifier of their dataset; the name of each is its
    stem among **all** of them, for the extension looks at one dataset at a time.

    :param place_of: gives the identifier of a medium's dataset
    """
    found: dict[str, list[dict[str, Any]]] = {}
    for item, stem in zip(media, stems(media), strict=True):
        found.setdefault(place_of(item), []).append({**item.to_dict(), "name": stem})
    return {place: json.dumps(records) for place, records in found.items()}
