"""What all records share: from and to the JSON of the REST API."""

from __future__ import annotations

from dataclasses import fields
from enum import Enum
from typing import Any, ClassVar, TypeVar

R = TypeVar("R", bound="Record")


class Record:
    """A record of the REST API.

    Keys that a newer server adds are ignored; keys that are missing keep their defaults.
    """

    #: Fields that hold records, or lists of records, and their class.
    _nested: ClassVar[dict[str, type[Record]]] = {}
    #: Keys of the JSON that have another name here.
    _renamed: ClassVar[dict[str, str]] = {}

    @classmethod
    def from_dict(cls: type[R], values: dict[str, Any]) -> R:
        """Makes a record of the JSON of the REST API."""
        known = {field.name for field in fields(cls) if field.init}  # type: ignore[arg-type]
        arguments = {}
        for key, value in values.items():
            name = cls._renamed.get(key, key)
            if name in known:
                arguments[name] = cls._read(name, value)
        return cls(**arguments)

    @classmethod
    def _read(cls, name: str, value: Any) -> Any:
        nested = cls._nested.get(name)
        if nested is None or value is None:
            return value
        if isinstance(value, list):
            return [nested.from_dict(item) for item in value]
        return nested.from_dict(value)

    def to_dict(self) -> dict[str, Any]:
        """The record as the REST API writes it; empty values are left out, and what is not for
        it, whose names begin with ``_``."""
        names = {new: old for old, new in self._renamed.items()}
        written = {}
        for field in fields(self):  # type: ignore[arg-type]
            if field.name.startswith("_"):
                continue
            value = getattr(self, field.name)
            if value is not None and value != "":
                written[names.get(field.name, field.name)] = _write(value)
        return written


def _write(value: Any) -> Any:
    if isinstance(value, Record):
        return value.to_dict()
    if isinstance(value, list):
        return [_write(item) for item in value]
    if isinstance(value, Enum):
        return value.value
    return value
