"""Files that are whole or not there."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[str]:
    """Gives the path of a part file beside a file, with its extension, and puts it in the file's
    place when it was written; after a failure it is gone and the file is as it was."""
    folder, name = os.path.split(os.path.abspath(path))
    part = os.path.join(folder, f".{uuid.uuid4().hex}.part{os.path.splitext(name)[1]}")
    try:
        yield part
        with open(part, "r+b") as file:
            os.fsync(file.fileno())
        os.replace(part, path)
    except BaseException:
        with suppress(FileNotFoundError):
            os.remove(part)
        raise


def write_json(path: str | os.PathLike[str], value: Any) -> None:
    """Writes JSON in the place of a file, whole or not at all."""
    with replacing(path) as part, open(part, "w", encoding="utf-8") as file:
        json.dump(value, file, indent=4)
