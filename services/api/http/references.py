"""What a job may name: files, uploads and web addresses. Pure text rules; nothing is opened or resolved.

The worker and the notifier check again at the moment of use: links and names may have changed by then.
"""

import posixpath
import re
import unicodedata
from collections.abc import Iterable, Sequence
from urllib.parse import unquote, urlsplit

from piperoll.addresses import Network, is_allowed, literal_address
from schemas.errors import ErrorCode
from services.api.http.errors import ApiError, invalid_field

UPLOAD = re.compile(r"upload://file-[0-9a-f-]{36}/[^/]+")
UPLOAD_SCHEME = "upload://"
MAX_NAME_BYTES = 240  # file systems take 255; the blob store appends a suffix while it writes
_BLANK_OR_BACKSLASH = re.compile(r"[\s\\]")


def check_filename(filename: str, roots: Sequence[str], field: str = "filename") -> None:
    """An upload, or an absolute path under one of `roots` (contract 1 and A27); `field` is where it was given.

    Raises ApiError INVALID_PARAMETERS, whose message names the setting that opens a folder.
    """
    path = filename.replace("\\", "/")
    if path.startswith(UPLOAD_SCHEME):
        _check_upload(path, field)
        return
    if not path.startswith("/") or ".." in path.split("/"):
        raise _refused(field, "must be an absolute path without '..'")
    if not any(_lies_under(_normalised(path), _normalised(root)) for root in roots):
        raise _refused(field, "lies outside the folders that jobs may read")


def check_source(source: str, roots: Sequence[str], stores: Sequence[str]) -> None:
    """What is synchronised: one of `roots` or a folder under it, one of the object stores or a prefix under it.

    Raises ApiError INVALID_PARAMETERS, whose message names the setting that opens a folder or a store: the workers'
    credentials may reach more than every caller should.
    """
    scheme, bucket, path = _place(source)
    allowed = [("file", "", _normalised(root)) for root in roots] if scheme == "file" else [*map(_place, stores)]
    if not any((scheme, bucket) == (one[0], one[1]) and _is_or_lies_under(path, one[2]) for one in allowed):
        what, setting = ("folders", "FILES_ROOTS") if scheme == "file" else ("object stores", "SYNC_STORES")
        raise invalid_field(
            "source", f"lies outside the {what} that jobs may read; have it added to PIPEROLL_{setting}"
        )


def check_address(field: str, url: str, allowed: Iterable[Network]) -> None:
    """An address that may be called, judged by its text; `field` is where it was given.

    Raises ApiError: INVALID_PARAMETERS for a malformed one or one with a password in it; BLOCKED_ADDRESS for a
    private or metadata address spelled out in any form.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError as error:
        raise invalid_field(field, f"is not an address: {error}") from error
    if _BLANK_OR_BACKSLASH.search(url) or not url.isprintable():
        raise invalid_field(field, "must not contain blanks, backslashes or control characters")
    if "@" in parts.netloc:
        raise invalid_field(field, "must not contain a user or password")
    address = literal_address(host)
    if address is not None and not is_allowed(address, allowed):
        raise ApiError(
            400,
            ErrorCode.BLOCKED_ADDRESS,
            f"{field} names a blocked address: private, local and metadata addresses are not called",
            {"fields": [{"field": field, "message": "blocked address"}]},
        )


def upload_name(given: str) -> str:
    """A file's own name as it is kept: no folders, no control characters, at most 240 bytes, never empty."""
    base = given.replace("\\", "/").rsplit("/", 1)[-1]
    clean = "".join(char for char in base if unicodedata.category(char)[0] != "C").strip()
    if clean in ("", ".", ".."):
        return "upload"
    stem, dot, suffix = clean.rpartition(".")
    ending = f".{suffix}" if dot and stem and len(suffix.encode()) <= 16 else ""
    kept = clean.removesuffix(ending).encode()[: MAX_NAME_BYTES - len(ending.encode())]
    return kept.decode(errors="ignore") + ending


def _check_upload(path: str, field: str) -> None:
    name = path.rpartition("/")[2]
    if not UPLOAD.fullmatch(path) or name in (".", ".."):
        raise invalid_field(field, "must be the upload://… filename that POST /api/files answered")


def _normalised(path: str) -> str:
    return "/" + posixpath.normpath(path).lstrip("/")


def _place(url: str) -> tuple[str, str, str]:
    """Scheme, bucket and path of a url, as they are compared."""
    parts = urlsplit(url)
    return parts.scheme, parts.netloc, _normalised(unquote(parts.path) or "/")


def _is_or_lies_under(path: str, root: str) -> bool:
    return path == root or _lies_under(path, root)


def _lies_under(path: str, root: str) -> bool:
    return path.startswith(root if root == "/" else f"{root}/")


def _refused(field: str, why: str) -> ApiError:
    return invalid_field(
        field, f"{why}; upload the file to /api/files, or have its folder added to PIPEROLL_FILES_ROOTS"
    )
