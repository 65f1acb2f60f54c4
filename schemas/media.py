"""The supported files by name and media type. Pure tables."""

from collections.abc import Mapping
from typing import Final

from schemas.formats import FORMATS

MEDIA_TYPES: Final[Mapping[str, str]] = {
    **{ending: media_type for one in FORMATS for ending, media_type in one.endings.items()},
    ".wav": "audio/wav",
    ".mp3": "audio/mpeg",
    ".m4a": "audio/mp4",
    ".ogg": "audio/ogg",
    ".opus": "audio/opus",
    ".flac": "audio/flac",
    ".mp4": "video/mp4",
    ".mov": "video/quicktime",
    ".webm": "video/webm",
    ".mkv": "video/x-matroska",
}
"""The files that jobs can read, by the suffix of their name in lower case."""

UNKNOWN: Final = "application/octet-stream"


def media_type_of(name: str, declared: str | None = None) -> str:
    """The media type of a file: by its name, else the one its sender declared, else `application/octet-stream`."""
    known = by_name(name)
    return known or (declared or UNKNOWN).partition(";")[0].strip().lower() or UNKNOWN


def by_name(name: str) -> str | None:
    """Return the media type of a file by the ending of its name; None for an unknown one."""
    return MEDIA_TYPES.get(f".{name.rpartition('.')[2].lower()}")
