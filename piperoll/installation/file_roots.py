"""Whether the folders that jobs may read are apart from what belongs to Piperoll and to the system.

Folders are compared by their places on file systems: links are resolved, and a mount is followed to what it shows
(proc(5), /proc/pid/mountinfo), so that one folder under two names is found too. A mount that is made later is not seen.
"""

import re
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final
from urllib.parse import unquote, urlsplit

from piperoll.settings import Settings

MOUNTS: Final = Path("/proc/self/mountinfo")
SYSTEM: Final = (Path("/proc"), Path("/sys"))
"""Show the memory and the environment of processes, and the devices."""
_ESCAPED: Final = re.compile(r"\\([0-7]{3})")


@dataclass(frozen=True, slots=True)
class Mount:
    """A mount: the number of its file system, the folder of that which it shows, and where."""

    device: str
    shows: PurePosixPath
    at: PurePosixPath


Place = tuple[str, PurePosixPath]
"""A file system and a path on it."""


def refusal_of_roots(settings: Settings, data_dir: Path | None = None) -> str | None:
    """Return why a service must not start with these roots, as a sentence that names the setting; else None.

    `data_dir` is the folder of a stack on this machine. Reads links and the table of mounts.
    """
    mounts = mounts_of_this_process()
    private = [(folder, f"Piperoll's data in {folder}") for folder in _own_folders(settings, data_dir)]
    private += [(folder, f"{folder}, which shows the processes of this machine") for folder in SYSTEM]
    for root in settings.roots:
        for folder, about in private:
            if overlap(root, folder.resolve(), mounts):
                return f"PIPEROLL_FILES_ROOTS: {root} overlaps with {about}: name a folder beside it"
        scratch = Path(settings.work_dir or tempfile.gettempdir()).resolve()
        if contains(root, scratch, mounts):
            return (
                f"PIPEROLL_FILES_ROOTS: {root} contains {scratch}, where runs keep the files that they work on: "
                "name another folder there, or here in PIPEROLL_WORK_DIR"
            )
    return None


def _own_folders(settings: Settings, data_dir: Path | None) -> Iterator[Path]:
    store = urlsplit(settings.blob_url)
    if store.scheme == "file":
        yield Path(unquote(store.path))
    if data_dir is not None:
        yield data_dir
        yield from (entry for entry in sorted(data_dir.iterdir()) if entry.is_symlink())


def mounts_of_this_process() -> list[Mount]:
    """The mounts, in the order in which later ones cover earlier ones; without the table, one that shows all."""
    try:
        return list(parsed_mounts(MOUNTS.read_text(encoding="utf-8", errors="surrogateescape")))
    except OSError:
        return [Mount("", PurePosixPath("/"), PurePosixPath("/"))]


def parsed_mounts(text: str) -> Iterator[Mount]:
    """Parse the lines of proc(5) mountinfo. What is not a folder of a file system is left out."""
    for line in text.splitlines():
        _, _, device, shows, at, *_ = line.split(" ")
        if shows.startswith("/"):
            yield Mount(device, PurePosixPath(_unescaped(shows)), PurePosixPath(_unescaped(at)))


def _unescaped(path: str) -> str:
    return _ESCAPED.sub(lambda found: chr(int(found[1], 8)), path)


def overlap(first: Path, second: Path, mounts: Sequence[Mount]) -> bool:
    """Return whether two resolved folders show any folder in common."""
    return contains(first, second, mounts) or contains(second, first, mounts)


def contains(outer: Path, inner: Path, mounts: Sequence[Mount]) -> bool:
    """Return whether what is at or below the resolved folder `inner` can be reached below `outer` too."""
    visible = list(_places(outer, mounts))
    return any(_is_below(place, other) for place in _places(inner, mounts) for other in visible)


def _places(folder: Path, mounts: Iterable[Mount]) -> Iterator[Place]:
    """Yield the place of a folder, and those of the mounts below it."""
    own: Mount | None = None
    for mount in mounts:
        if folder.is_relative_to(mount.at) and (own is None or mount.at.is_relative_to(own.at)):
            own = mount
        elif mount.at.is_relative_to(folder):
            yield mount.device, mount.shows
    if own is not None:
        yield own.device, own.shows / folder.relative_to(own.at)


def _is_below(place: Place, other: Place) -> bool:
    return place[0] == other[0] and place[1].is_relative_to(other[1])
