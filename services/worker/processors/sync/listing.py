"""What every source that is synchronised looks like: files by their path below it, and a way to open each."""

import os
import posixpath
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import unquote, urlsplit

from services.worker.files.sources import Source

Tell = Callable[[], None]
"""Called now and then while something lasts, so that the worker sees the run alive."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A file of a source: its size in bytes, and its revision, which is another one whenever its content may be."""

    size: int
    revision: str


@dataclass(slots=True)
class SourceListing:
    """The files of a source by path. `links` were not followed, `unread` are folders that could not be listed."""

    files: dict[str, Listed] = field(default_factory=dict)
    hidden: int = 0
    links: list[str] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)


class SyncPlace(Protocol):
    """A source, in either form. Both methods raise ProcessingError when it cannot be reached."""

    def look(self, tell: Tell) -> SourceListing:
        """All files below it."""
        ...

    def open(self, path: str, tell: Tell) -> AbstractContextManager[Source]:
        """One of them, for reading. Raises ProcessingError also for this file alone."""
        ...


def normalised(source: str) -> str:
    """The one spelling of a source, without a slash at its end: what the names of its files' places begin with."""
    parts = urlsplit(source)
    return f"{parts.scheme}://{parts.netloc}{path_in(source)}".rstrip("/")


def path_in(url: str) -> str:
    """The path that a url means, as obstore reads it too: unquoted, without a slash at its end; "/" for none."""
    return posixpath.normpath("/" + unquote(urlsplit(url).path).lstrip("/"))


def readable(path: str) -> str:
    """A path as a text that can be written down, also where its name is no UTF-8."""
    return os.fsencode(path).decode(errors="replace")
