"""Decide the kind of a file: by its content, its name, and the media type that its sender gave. Pure.

The content decides; a name that contradicts it is an error. A media type alone counts less: servers give wrong ones.
"""

from collections.abc import Collection, Mapping
from typing import Final

from schemas.errors import ErrorCode
from schemas.formats import FORMATS, OF_KIND, REFUSED, SOUND, Kind, Refused
from schemas.media import UNKNOWN, by_name, media_type_of
from services.worker.errors import ProcessingError
from services.worker.files.marks import TEXT_KINDS, content_of, image_type, is_zip, open_document_type

HEAD_BYTES: Final = 4096
"""The number of bytes of a file's beginning that `kind_of` needs."""
KINDS: Final[Mapping[str, Kind]] = {
    media_type.lower(): one.kind for one in FORMATS for media_type in (*one.endings.values(), *one.also)
}
BARE: Final = frozenset(
    {UNKNOWN, "text/plain", "binary/octet-stream", "application/binary", "application/download",
     "application/x-download", "application/force-download", "application/unknown"}
)  # fmt: skip
"""Media types that servers send for want of a better one."""
LOOSE: Final = frozenset({Kind.BINARY_SHEET, Kind.RTF})
"""Kinds whose endings are given to tables and texts of other kinds too, which Office opens."""


def kind_of(head: bytes, members: Collection[str], packed_type: str, name: str, declared_type: str) -> Kind:
    """Return the kind of a file by its `head`; `members` and `packed_type` as `content_of` takes them.

    `declared_type` is the media type by a server or an uploader; may be empty. Raises ProcessingError:
    UNSUPPORTED_FILE_TYPE; INVALID_DOCUMENT for an empty file and one whose name contradicts its content.
    """
    if not head:
        raise ProcessingError(ErrorCode.INVALID_DOCUMENT, "The file is empty.")
    media_type = media_type_of(name, declared_type)
    declared = _declared_kind(media_type)
    content = content_of(head, members, packed_type, declared)
    is_named = by_name(name) is not None
    if isinstance(content, Kind) and not is_named and (content not in TEXT_KINDS or media_type in BARE):
        return content
    if media_type.startswith(("audio/", "video/")):
        raise _unsupported(f"{_named(name, media_type)}, {SOUND.phrase}")
    if not isinstance(content, Kind):
        raise _refusal(content, declared, name, media_type)
    if declared is None or declared in LOOSE or (content is Kind.HTML and declared in TEXT_KINDS):
        return content
    if declared is not content and not {declared, content} <= TEXT_KINDS:
        raise _mismatch(declared, OF_KIND[content].name)
    return declared


def media_type_by(kind: Kind, name: str, head: bytes) -> str:
    """Return the media type of a file of a kind."""
    named = media_type_of(name)
    if _declared_kind(named) is kind:
        return named
    match kind:
        case Kind.IMAGE:
            return image_type(head)
        case Kind.OPEN_DOCUMENT:
            return open_document_type(head)
        case Kind.BINARY_SHEET if is_zip(head):
            return OF_KIND[kind].endings[".xlsb"]
    return next(iter(OF_KIND[kind].endings.values()))


def _declared_kind(media_type: str) -> Kind | None:
    kind = KINDS.get(media_type.lower())
    return Kind.IMAGE if kind is None and media_type.startswith("image/") else kind


def _refusal(content: Refused | None, declared: Kind | None, name: str, media_type: str) -> ProcessingError:
    """Return why a file is not read, whose content is of no kind that is."""
    if declared is not None and declared not in LOOSE and not _is_refused_image(content, declared):
        return _mismatch(declared, content.phrase if content else "of no known format")
    what = content or _refused_by(name, media_type)
    return _unsupported(", ".join(filter(None, (_named(name, media_type), what.phrase if what else ""))))


def _is_refused_image(content: Refused | None, declared: Kind) -> bool:
    """Whether a file is an image as declared, of a format that is not read."""
    return declared is Kind.IMAGE and content is not None and any(one in IMAGE_ENDINGS for one in content.endings)


IMAGE_ENDINGS: Final = frozenset({".djvu", ".jp2", ".cr3"})


def _refused_by(name: str, media_type: str) -> Refused | None:
    """Return what is refused by its ending, else by its media type."""
    ending = f".{name.rpartition('.')[2].lower()}"
    found = (one for one in REFUSED if ending in one.endings)
    return next(found, None) or next((one for one in REFUSED if media_type in one.media_types), None)


def _mismatch(declared: Kind, content: str) -> ProcessingError:
    return ProcessingError(
        ErrorCode.INVALID_DOCUMENT,
        f"The file does not match its name or media type: by these it is {OF_KIND[declared].name}, "
        f"but its content is {content}.",
    )


def _named(name: str, media_type: str) -> str:
    """Return the extension of the file's name, else its media type."""
    _, dot, ending = name.rpartition(".")
    if dot and ending.isalnum() and len(ending) <= 16:
        return f".{ending.lower()}"
    return media_type[:100]


def _unsupported(what: str) -> ProcessingError:
    endings = sorted(ending for one in FORMATS for ending in one.endings)
    return ProcessingError(
        ErrorCode.UNSUPPORTED_FILE_TYPE,
        f"Files of this type are not supported: {what}. Supported are {', '.join(endings)}.",
    )
