"""The files of the page: read once, compressed once, and never changed. What is not in the folder cannot be named.

Each has the headers of docs/contract/additions.md#page. Browsers ask for the page again each time and get a 304, so
that a new release is seen at once. It names its files below the version of all of them, a hash: such an address never
gets another content, so browsers keep what it had without asking.
"""

import base64
import gzip
import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import PurePosixPath
from typing import Final

INDEX: Final = "index.html"
MEDIA_TYPES: Final[Mapping[str, str]] = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".mjs": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
}
"""By the end of a name. Others are served as bytes, which browsers do not run."""
OTHER_TYPE: Final = "application/octet-stream"
POLICY: Final = (
    "default-src 'none'; script-src 'self'{hashes}; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
    "font-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
COMPRESS_LEVEL: Final = 9
ASK_AGAIN: Final = "no-cache"
KEEP: Final = "public, max-age=31536000, immutable"
VERSION: Final = re.compile(r"v-[0-9a-f]{16}/")
"""The beginning of a path that has a version, of this release or, for a page that was loaded before, of another one."""
_WEIGHT = re.compile(r"\s*q=([01](?:\.\d{0,3})?)\s*")
_IMPORT_MAP: Final = '<script type="importmap">'


@dataclass(frozen=True, slots=True)
class Variant:
    """A file as it is sent: plain or compressed. The tag is a hash of these bytes."""

    content: bytes
    tag: str
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class PageFile:
    """A file of the page; `compressed` only if that is smaller."""

    plain: Variant
    compressed: Variant | None = field(default=None)

    def variant(self, accepted: str) -> Variant:
        """Return what a client with this Accept-Encoding gets."""
        return self.compressed if self.compressed is not None and accepts_gzip(accepted) else self.plain


@cache
def page_files() -> Mapping[str, PageFile]:
    """Return the files by their paths below the folder, and all but the page itself also below their version."""
    contents = dict(_contents(files("services.api.page").joinpath("static"), PurePosixPath()))
    version = version_of(contents)
    contents[INDEX] = contents[INDEX].replace(b'"/page/', f'"/page/{version}'.encode())
    policy = policy_of(contents[INDEX].decode())
    plain = {name: _page_file(name, content, policy, ASK_AGAIN) for name, content in contents.items()}
    kept = {name: _page_file(name, content, policy, KEEP) for name, content in contents.items() if name != INDEX}
    return plain | {f"{version}{name}": file for name, file in kept.items()}


def version_of(contents: Mapping[str, bytes]) -> str:
    """Return the beginning of the paths of files with these contents, with its slash."""
    hashed = hashlib.sha256()
    for name in sorted(contents):
        hashed.update(f"{name}\0{len(contents[name])}\0".encode() + contents[name])
    return f"v-{hashed.hexdigest()[:16]}/"


def without_version(path: str) -> str:
    """Return the path of a file below the folder."""
    found = VERSION.match(path)
    return path[found.end() :] if found else path


def policy_of(page: str) -> str:
    """Return the Content-Security-Policy of the page. Of what is inline, its import map alone is allowed, by a hash."""
    maps = [part.partition("</script>")[0] for part in page.split(_IMPORT_MAP)[1:]]
    hashes = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in maps]
    return POLICY.format(hashes="".join(f" 'sha256-{one}'" for one in hashes))


def accepts_gzip(header: str) -> bool:
    """Whether an Accept-Encoding allows gzip (RFC 9110, section 12.5.3)."""
    codings = [part.partition(";") for part in header.lower().split(",")]
    weights = {coding.strip(): _weight(parameter) for coding, _, parameter in codings}
    return weights.get("gzip", weights.get("*", 0.0)) > 0


def _weight(parameter: str) -> float:
    found = _WEIGHT.fullmatch(parameter)
    return float(found[1]) if found else 1.0


def _contents(folder: Traversable, path: PurePosixPath) -> Iterator[tuple[str, bytes]]:
    for one in folder.iterdir():
        if one.is_dir():
            yield from _contents(one, path / one.name)
        else:
            yield str(path / one.name), one.read_bytes()


def _page_file(name: str, content: bytes, policy: str, caching: str) -> PageFile:
    packed = gzip.compress(content, COMPRESS_LEVEL, mtime=0)  # without a time, so that equal files have equal tags
    headers = {
        "Cache-Control": caching,
        "Content-Security-Policy": policy,
        "Content-Type": MEDIA_TYPES.get(PurePosixPath(name).suffix, OTHER_TYPE),
        "Cross-Origin-Resource-Policy": "same-origin",
        "Referrer-Policy": "no-referrer",
        "Vary": "Accept-Encoding",
        "X-Content-Type-Options": "nosniff",
    }
    plain = _variant(content, headers)
    if len(packed) >= len(content):
        return PageFile(plain)
    return PageFile(plain, _variant(packed, {**headers, "Content-Encoding": "gzip"}))


def _variant(content: bytes, headers: Mapping[str, str]) -> Variant:
    tag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    return Variant(content, tag, {**headers, "ETag": tag})
