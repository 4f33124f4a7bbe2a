"""Shapes, in absolute pixels; the origin is the upper left corner and y points down."""

from __future__ import annotations

from dataclasses import dataclass, field

from ._record import Record
from .enums import ShapeType


def _pixels(value: float) -> float:
    """Whole pixels, as the platform counts them."""
    return round(value)


class Shape(Record):
    """Any shape; ``type`` tells which."""

    type: ShapeType

    @classmethod
    def from_dict(cls, values):  # type: ignore[override]
        """Makes the shape that ``values["type"]`` names."""
        if cls is Shape:
            return _CLASSES[ShapeType(values["type"])].from_dict(values)
        return super().from_dict(values)


@dataclass
class Rectangle(Shape):
    """An upright rectangle: its upper left corner and its size."""

    x: float
    y: float
    width: float
    height: float
    type: ShapeType = field(default=ShapeType.RECTANGLE, kw_only=True)

    def __post_init__(self) -> None:
        self.x, self.y = _pixels(self.x), _pixels(self.y)
        self.width, self.height = _pixels(self.width), _pixels(self.height)

    @classmethod
    def generate_full_box(cls, image_width: int, image_height: int) -> Rectangle:
        """The rectangle that covers an image of this size."""
        return cls(x=0, y=0, width=image_width, height=image_height)

    def is_full_box(self, image_width: int, image_height: int) -> bool:
        """Whether it covers an image of this size."""
        return (self.x, self.y, self.width, self.height) == (0, 0, image_width, image_height)

    @property
    def area(self) -> float:
        """Area in square pixels."""
        return self.width * self.height

    @property
    def x_max(self) -> float:
        """Right edge."""
        return self.x + self.width

    @property
    def y_max(self) -> float:
        """Lower edge."""
        return self.y + self.height

    def to_roi(self) -> Rectangle:
        """The rectangle around it: itself."""
        return self


@dataclass
class Ellipse(Rectangle):
    """An upright ellipse: the upper left corner and the size of its bounding box."""

    type: ShapeType = field(default=ShapeType.ELLIPSE, kw_only=True)

    @property
    def area(self) -> float:
        """Area in square pixels."""
        from math import pi

        return pi * self.width * self.height / 4

    def get_center_point(self) -> tuple[int, int]:
        """Column and row of the centre."""
        return int(self.x + self.width / 2), int(self.y + self.height / 2)

    def to_roi(self) -> Rectangle:
        """The rectangle around it."""
        return Rectangle(self.x, self.y, self.width, self.height)


@dataclass
class RotatedRectangle(Shape):
    """A rectangle turned clockwise by ``angle`` degrees about its centre (x, y)."""

    angle: float
    x: float
    y: float
    width: float
    height: float
    type: ShapeType = field(default=ShapeType.ROTATED_RECTANGLE, kw_only=True)

    def __post_init__(self) -> None:
        self.angle = round(self.angle, 4)
        self.x, self.y = _pixels(self.x), _pixels(self.y)
        self.width, self.height = _pixels(self.width), _pixels(self.height)

    @property
    def area(self) -> float:
        """Area in square pixels."""
        return self.width * self.height


@dataclass
class Point(Record):
    """A point in pixels."""

    x: float
    y: float

    def __post_init__(self) -> None:
        self.x, self.y = _pixels(self.x), _pixels(self.y)

    def as_int_tuple(self) -> tuple[int, int]:
        """Column and row."""
        return int(self.x), int(self.y)


@dataclass
class Polygon(Shape):
    """A closed polygon of at least three points; the last is joined to the first."""

    points: list[Point]
    type: ShapeType = field(default=ShapeType.POLYGON, kw_only=True)

    _nested = {"points": Point}

    @property
    def x_max(self) -> float:
        """Rightmost column."""
        return max(point.x for point in self.points)

    @property
    def y_max(self) -> float:
        """Lowest row."""
        return max(point.y for point in self.points)

    def to_roi(self) -> Rectangle:
        """The rectangle around it."""
        x = min(point.x for point in self.points)
        y = min(point.y for point in self.points)
        return Rectangle(x, y, self.x_max - x, self.y_max - y)

    @property
    def area(self) -> float:
        """Area in square pixels, by the shoelace formula."""
        following = self.points[1:] + self.points[:1]
        twice = sum(a.x * b.y - b.x * a.y for a, b in zip(self.points, following, strict=True))
        return abs(twice) / 2


@dataclass
class Keypoint(Shape):
    """A single key point."""

    x: float
    y: float
    is_visible: bool = True
    type: ShapeType = field(default=ShapeType.KEYPOINT, kw_only=True)

    def __post_init__(self) -> None:
        self.x, self.y = _pixels(self.x), _pixels(self.y)

    @property
    def area(self) -> float:
        """A point has no area."""
        return 0.0


_CLASSES: dict[ShapeType, type[Shape]] = {
    ShapeType.RECTANGLE: Rectangle,
    ShapeType.ELLIPSE: Ellipse,
    ShapeType.ROTATED_RECTANGLE: RotatedRectangle,
    ShapeType.POLYGON: Polygon,
    ShapeType.KEYPOINT: Keypoint,
}
