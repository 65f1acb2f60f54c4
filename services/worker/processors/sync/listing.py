"""The interface of a synchronised source: its files by path, and opening one of them."""

import os
import posixpath
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import unquote, urlsplit

from services.worker.files.sources import Source

Heartbeat = Callable[[], None]
"""Called repeatedly during long operations, so that the worker does not end the run as stalled."""


@dataclass(frozen=True, slots=True)
class ListedFile:
    """A file of a source: its size in bytes, and its revision, which changes whenever its content may have changed."""

    size: int
    revision: str


@dataclass(slots=True)
class SourceListing:
    """The files of a source by path. `links` were not followed, `unread` are folders that failed to list."""

    files: dict[str, ListedFile] = field(default_factory=dict)
    hidden: int = 0
    links: list[str] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)


class SyncPlace(Protocol):
    """A source. Both methods raise ProcessingError when it cannot be reached."""

    def list_files(self, beat: Heartbeat) -> SourceListing:
        """Return all files below the source."""
        ...

    def open(self, path: str, beat: Heartbeat) -> AbstractContextManager[Source]:
        """Open a file for reading. Raises ProcessingError also when only this file fails."""
        ...


def normalised(source: str) -> str:
    """Return the canonical form of a source, without a trailing slash: the prefix of its files' places."""
    parts = urlsplit(source)
    return f"{parts.scheme}://{parts.netloc}{path_in(source)}".rstrip("/")


def path_in(url: str) -> str:
    """Return the path of a url as obstore reads it: unquoted, without a trailing slash; "/" if empty."""
    return posixpath.normpath("/" + unquote(urlsplit(url).path).lstrip("/"))


def readable(path: str) -> str:
    """Return a path as valid text, even if the name is not UTF-8."""
    return os.fsencode(path).decode(errors="replace")
