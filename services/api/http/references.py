"""The files, uploads and web addresses that jobs may refer to. Pure text rules; nothing is opened or resolved.

The worker and the notifier check again at the time of use: links and names may have changed by then.
"""

import posixpath
import re
import unicodedata
from collections.abc import Iterable, Sequence
from urllib.parse import unquote, urlsplit

from piperoll.addresses import Network, advice_about, is_allowed, literal_address
from schemas.errors import ErrorCode
from schemas.fields import UPLOAD_SCHEME, file_reference, is_upload, web_address
from services.api.http.errors import ApiError, invalid_field

MAX_NAME_BYTES = 240  # file systems take 255; the blob store appends a suffix while it writes
_COUNTED = re.compile(r"#(?=[0-9]+$)")  # a local blob store reserves names that end in # and a number


def checked_filename(filename: str, roots: Sequence[str], field: str = "filename") -> str:
    """Return the name of an upload, or an absolute path under one of `roots`, as it is stored
    (docs/contract/secretary.md#conventions and docs/contract/decisions.md#a27). Raises ApiError INVALID_PARAMETERS."""
    try:
        path = file_reference(filename)
    except ValueError as error:
        raise invalid_field(field, str(error)) from error
    if path.startswith(UPLOAD_SCHEME):
        if not is_upload(path):
            raise invalid_field(field, "must be an upload://… filename that POST /api/files returned")
        return path
    if not path.startswith("/") or ".." in path.split("/"):
        raise _invalid_path(field, "must be an absolute path without '..'")
    if not any(_is_under(_normalised(path), _normalised(root)) for root in roots):
        raise _invalid_path(field, "must be in a folder that jobs may read")
    return path


def check_source(source: str, roots: Sequence[str], stores: Sequence[str]) -> None:
    """Raise ApiError INVALID_PARAMETERS unless a sync's source is one of `roots` or `stores`, or a folder or prefix
    under one: the workers' credentials may reach more than every caller should."""
    scheme, bucket, path = _parts(source)
    allowed = [("file", "", _normalised(root)) for root in roots] if scheme == "file" else [*map(_parts, stores)]
    if not any((scheme, bucket) == one[:2] and (path == one[2] or _is_under(path, one[2])) for one in allowed):
        what, setting = ("a folder", "FILES_ROOTS") if scheme == "file" else ("an object store", "SYNC_STORES")
        raise invalid_field("source", f"must be in {what} that jobs may read: PIPEROLL_{setting} lists them")


def checked_address(field: str, sent: str, allowed: Iterable[Network], setting: str) -> str:
    """Return an address as it is stored and called. Raises ApiError: INVALID_PARAMETERS for a malformed one or one with
    a password; BLOCKED_ADDRESS as `require_public` does."""
    try:
        url = web_address(sent)
    except ValueError as error:
        raise invalid_field(field, str(error)) from error
    require_public(field, url, allowed, setting)
    return url


def require_public(field: str, url: str, allowed: Iterable[Network], setting: str) -> None:
    """Raise ApiError BLOCKED_ADDRESS for a private or metadata address in any notation, by the text of a normalised
    address. `setting` is the one that names the `allowed` networks."""
    address = literal_address(urlsplit(url).hostname or "")
    if address is not None and not is_allowed(address, allowed):
        raise ApiError(
            400,
            ErrorCode.BLOCKED_ADDRESS,
            f"{field} is a blocked address: {advice_about(setting)}",
            {"fields": [{"field": field, "message": "blocked address"}]},
        )


def upload_name(filename: str) -> str:
    """Return a file's name as it is stored: without folders and control characters, 1 to MAX_NAME_BYTES bytes."""
    base = filename.replace("\\", "/").rsplit("/", 1)[-1]
    clean = "".join(char for char in base if unicodedata.category(char)[0] != "C").strip()
    if clean in ("", ".", ".."):
        return "upload"
    stem, dot, suffix = clean.rpartition(".")
    ending = f".{suffix}" if dot and stem and len(suffix.encode()) <= 16 else ""
    kept = clean.removesuffix(ending).encode()[: MAX_NAME_BYTES - len(ending.encode())]
    return kept.decode(errors="ignore") + ending


def blob_name(filename: str) -> str:
    """Return a file's name as the last part of its place in the blob store: `upload_name`, its # before a number at the
    end replaced by _."""
    return _COUNTED.sub("_", upload_name(filename))


def _normalised(path: str) -> str:
    return "/" + posixpath.normpath(path).lstrip("/")


def _parts(url: str) -> tuple[str, str, str]:
    """Return scheme, bucket and path of a url in a comparable form."""
    parts = urlsplit(url)
    return parts.scheme, parts.netloc, _normalised(unquote(parts.path) or "/")


def _is_under(path: str, root: str) -> bool:
    return path.startswith(root if root == "/" else f"{root}/")


def _invalid_path(field: str, why: str) -> ApiError:
    return invalid_field(field, f"{why}; upload the file to /api/files, or add its folder to PIPEROLL_FILES_ROOTS")
