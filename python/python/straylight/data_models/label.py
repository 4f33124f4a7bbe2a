"""Labels of projects, and labels that a model or a person gave."""

from __future__ import annotations

from dataclasses import dataclass

from ._record import Record


def _rgb(color: str | None) -> tuple[int, int, int]:
    digits = (color or "#000000").lstrip("#")
    return int(digits[0:2], 16), int(digits[2:4], 16), int(digits[4:6], 16)


@dataclass
class Label(Record):
    """A label of a task, as the project defines it."""

    name: str
    #: ``#rrggbb`` or ``#rrggbbaa``.
    color: str = "#000000ff"
    #: Labels of one group exclude one another.
    group: str = ""
    #: Whether it says that nothing is there.
    is_empty: bool = False
    hotkey: str = ""
    domain: str | None = None
    id: str | None = None
    parent_id: str | None = None
    is_anomalous: bool | None = None
    is_background: bool | None = None

    def __hash__(self) -> int:
        return hash((self.name, self.color))

    @property
    def color_tuple(self) -> tuple[int, int, int]:
        """Red, green and blue, 0 to 255."""
        return _rgb(self.color)


@dataclass
class ScoredLabel(Record):
    """A label with its probability, 0 to 1."""

    probability: float
    name: str | None = None
    #: ``#rrggbb`` or ``#rrggbbaa``.
    color: str | None = None
    id: str | None = None
    source: dict | None = None

    def __hash__(self) -> int:
        return hash((self.name, self.color))

    @property
    def color_tuple(self) -> tuple[int, int, int]:
        """Red, green and blue, 0 to 255."""
        return _rgb(self.color)

    @classmethod
    def from_label(cls, label: Label, probability: float) -> ScoredLabel:
        """Gives a project's label a probability."""
        return cls(probability=probability, name=label.name, color=label.color, id=label.id)
