"""Images and videos of a dataset."""

from __future__ import annotations

from collections import UserList
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from ._record import Record
from .enums import MediaType

if TYPE_CHECKING:
    import numpy as np


@dataclass
class MediaInformation(Record):
    """Size, format and place of a medium."""

    display_url: str = ""
    #: Pixels; 0 while the server prepares the medium.
    height: int = 0
    #: Pixels; 0 while the server prepares the medium.
    width: int = 0
    size: int | None = None
    extension: str | None = None
    frame_count: int | None = None
    frame_stride: int | None = None
    frame_rate: float | None = None
    #: Seconds.
    duration: int | None = None


@dataclass
class MediaItem(Record):
    """An image or a video."""

    id: str
    #: The uploaded file's name without its extension; need not be unique.
    name: str
    type: MediaType
    media_information: MediaInformation
    upload_time: str | None = None
    uploader_id: str | None = None
    thumbnail: str | None = None
    preprocessing: dict[str, Any] | None = None
    annotation_state_per_task: list[dict[str, Any]] = field(default_factory=list)
    #: Identifier of the dataset that holds it, as far as it is known.
    dataset_id: str | None = None

    _nested = {"media_information": MediaInformation}

    def __post_init__(self) -> None:
        self.type = MediaType(self.type)

    @property
    def download_url(self) -> str:
        """Path of the file on the server."""
        return self.media_information.display_url

    @property
    def identifier(self) -> dict[str, Any]:
        """How annotations refer to it."""
        return {"type": str(self.type), f"{self.type}_id": self.id}

    def __repr__(self) -> str:
        size = f"{self.media_information.width} x {self.media_information.height}"
        return f"{type(self).__name__}({self.name}, {size}, id {self.id})"


@dataclass(repr=False)
class Image(MediaItem):
    """An image."""

    #: The file that it was uploaded from, as far as that is known; servers are not told.
    _source: str | None = field(default=None, init=False, compare=False)


@dataclass(repr=False)
class Video(MediaItem):
    """A video."""


@dataclass(repr=False)
class VideoFrame(MediaItem):
    """One frame of a video; its identifier is that of the video."""

    #: Counted from 0.
    frame_index: int = 0
    #: uint8 RGB of shape (height, width, 3), when it was downloaded.
    data: np.ndarray | None = None

    @classmethod
    def from_video(cls, video: Video, frame_index: int) -> VideoFrame:
        """A frame of a video, without its pixels."""
        return cls(
            id=video.id,
            name=f"{video.name}_frame_{frame_index}",
            type=MediaType.VIDEO_FRAME,
            media_information=video.media_information,
            dataset_id=video.dataset_id,
            frame_index=frame_index,
        )

    @property
    def video_id(self) -> str:
        """Identifier of the video."""
        return self.id

    @property
    def numpy(self) -> np.ndarray | None:
        """The same as :attr:`data`."""
        return self.data

    @property
    def identifier(self) -> dict[str, Any]:
        """How annotations refer to it."""
        return {"type": "video_frame", "video_id": self.id, "frame_index": self.frame_index}


M = TypeVar("M", bound=MediaItem)


class MediaList(UserList, Generic[M]):
    """Media of one kind."""

    data: list[M]

    @property
    def ids(self) -> list[str]:
        """Their identifiers."""
        return [item.id for item in self.data]

    @property
    def names(self) -> list[str]:
        """Their names."""
        return [item.name for item in self.data]

    @property
    def has_duplicate_filenames(self) -> bool:
        """Whether two share a name."""
        return len(set(self.names)) < len(self.data)

    def get_by_id(self, id_value: str) -> M:
        """The one of this identifier."""
        return self._find(id_value, lambda item: item.id)

    def get_by_filename(self, filename: str) -> M:
        """The first of this name."""
        return self._find(filename, lambda item: item.name)

    def _find(self, wanted: str, key: Any) -> M:
        for item in self.data:
            if key(item) == wanted:
                return item
        raise ValueError(f"none of the {len(self.data)} media is `{wanted}`")

    def __repr__(self) -> str:
        names = ", ".join(self.names[:3]) + (", ..." if len(self.data) > 3 else "")
        return f"MediaList({len(self.data)}: {names})"
