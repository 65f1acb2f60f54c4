"""The supported files by name and media type. Pure tables."""

from collections.abc import Mapping
from typing import Final

OFFICE: Final = "application/vnd.openxmlformats-officedocument"
MACROS: Final = "macroEnabled.12"
WORD_FILES: Final[Mapping[str, str]] = {
    ".docx": f"{OFFICE}.wordprocessingml.document",
    ".docm": f"application/vnd.ms-word.document.{MACROS}",
    ".dotx": f"{OFFICE}.wordprocessingml.template",
    ".dotm": f"application/vnd.ms-word.template.{MACROS}",
}
SLIDE_FILES: Final[Mapping[str, str]] = {
    ".pptx": f"{OFFICE}.presentationml.presentation",
    ".pptm": f"application/vnd.ms-powerpoint.presentation.{MACROS}",
    ".ppsx": f"{OFFICE}.presentationml.slideshow",
    ".ppsm": f"application/vnd.ms-powerpoint.slideshow.{MACROS}",
    ".potx": f"{OFFICE}.presentationml.template",
    ".potm": f"application/vnd.ms-powerpoint.template.{MACROS}",
}
SHEET_FILES: Final[Mapping[str, str]] = {
    ".xlsx": f"{OFFICE}.spreadsheetml.sheet",
    ".xlsm": f"application/vnd.ms-excel.sheet.{MACROS}",
    ".xltx": f"{OFFICE}.spreadsheetml.template",
    ".xltm": f"application/vnd.ms-excel.template.{MACROS}",
}
MEDIA_TYPES: Final[Mapping[str, str]] = {
    ".pdf": "application/pdf",
    **WORD_FILES,
    **SLIDE_FILES,
    **SHEET_FILES,
    ".html": "text/html",
    ".htm": "text/html",
    ".epub": "application/epub+zip",
    ".md": "text/markdown",
    ".markdown": "text/markdown",
    ".txt": "text/plain",
    ".csv": "text/csv",
    ".json": "application/json",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".tif": "image/tiff",
    ".tiff": "image/tiff",
    ".webp": "image/webp",
    ".bmp": "image/bmp",
    ".gif": "image/gif",
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
    known = MEDIA_TYPES.get(f".{name.rpartition('.')[2].lower()}")
    return known or (declared or UNKNOWN).partition(";")[0].strip().lower() or UNKNOWN
