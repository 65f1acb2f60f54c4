"""Kafka's jars: the locked list, their folder, and the download.

`kafka-jars.lock` lists each jar by Maven coordinate, size and SHA-256. The jars are copied into Piperoll's Python
environment, so the network is needed for `fetch_jars` only.
"""

import hashlib
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from piperoll.embedded.errors import StackError

KAFKA_VERSION = "4.3.0"

_LOCK = Path(__file__).with_name("kafka-jars.lock")
_TRIES = 3  # one failure of a mirror must not make the user repeat the command
_ADVICE = (
    "Kafka's jars could not be downloaded from Maven: check the network and the proxy settings of this machine, "
    "then run `make setup` again (completed downloads are kept)"
)

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Jar:
    """One line of the lock file; `size` in bytes, `sha256` in hex."""

    group: str
    artifact: str
    version: str
    size: int
    sha256: str

    @property
    def filename(self) -> str:
        """The file's name as Maven builds it."""
        return f"{self.artifact}-{self.version}.jar"


def locked_jars() -> list[Jar]:
    """Return the jars of the lock file in its order."""
    jars = []
    for line in _LOCK.read_text().splitlines():
        if line and not line.startswith("#"):
            coordinate, size, sha256 = line.split()
            group, artifact, version = coordinate.split(":")
            jars.append(Jar(group, artifact, version, int(size), sha256))
    return jars


def jars_folder() -> Path:
    """Return the folder of the jars, inside the Python environment."""
    return Path(sys.prefix) / "share" / "piperoll" / f"kafka-{KAFKA_VERSION}"


def class_path() -> str:
    """Return Kafka's class path; StackError when a jar is missing or truncated."""
    folder = jars_folder()
    paths = [folder / jar.filename for jar in locked_jars()]
    if any(not _is_whole(path, jar) for path, jar in zip(paths, locked_jars(), strict=True)):
        raise StackError(f"Kafka's jars are not in {folder}: run `make setup`, which downloads them once")
    return ":".join(map(str, paths))


def fetch_jars(progress: Progress) -> None:
    """Download missing jars and check each SHA-256; `progress` gets a line for each. Raises StackError."""
    jars, folder = locked_jars(), jars_folder()
    missing = [jar for jar in jars if not _is_whole(folder / jar.filename, jar)]
    if not missing:
        progress(f"Kafka {KAFKA_VERSION}: all {len(jars)} jars are present")
        return
    folder.mkdir(parents=True, exist_ok=True)
    total = sum(jar.size for jar in missing)
    progress(f"Kafka {KAFKA_VERSION}: downloading {len(missing)} jars, {total / 1e6:.0f} MB")
    done = 0
    for number, jar in enumerate(missing, start=1):
        source = _obtain(jar, progress)
        draft = folder / f"{jar.filename}.part"
        shutil.copyfile(source, draft)
        draft.replace(folder / jar.filename)
        done += jar.size
        progress(f"  {done * 100 // total:3d} %  {number}/{len(missing)}  {jar.filename}")


def _is_whole(path: Path, jar: Jar) -> bool:
    """Compare by size only: the SHA-256 was checked before the file got its name."""
    return path.is_file() and path.stat().st_size == jar.size


def _obtain(jar: Jar, progress: Progress) -> Path:
    """Return the jar's path in the local Maven repository, downloaded if missing, with its SHA-256 checked."""
    for attempt in range(1, _TRIES + 1):
        try:
            path = _download(jar, progress)
        # jgo raises the errors of its HTTP client, and RuntimeError for "not found".
        except (OSError, RuntimeError, AssertionError) as error:
            if attempt == _TRIES:
                raise StackError(f"{_ADVICE}. The last error was, for {jar.filename}: {error}") from error
            progress(f"  {jar.filename}: {type(error).__name__}, trying again")
            continue
        if hashlib.sha256(path.read_bytes()).hexdigest() == jar.sha256:
            return path
        # Truncated by an earlier interruption, or another file: deleted, else Maven would serve it from here again.
        path.unlink()
        progress(f"  {jar.filename}: unexpected SHA-256, downloading it again")
    raise StackError(
        f"{jar.filename} as served by Maven has another SHA-256 than the one in {_LOCK.name}: "
        "if a mirror or a proxy is used, ask its operator"
    )


def _download(jar: Jar, progress: Progress) -> Path:
    # Imported here since it is slow to import.
    from jgo.config import GlobalSettings
    from jgo.constants import MAVEN_CENTRAL_URL
    from jgo.maven import MavenContext, PythonResolver

    @contextmanager
    def on_download(filename: str, total: int) -> Iterator[Callable[[int], None]]:
        yield _megabytes(filename, total, progress)

    settings: Any = GlobalSettings.load()
    context = MavenContext(
        resolver=PythonResolver(progress_callback=on_download),
        repo_cache=settings.repo_cache,
        # The user's repositories (a mirror behind a firewall) come first.
        remote_repos={**settings.repositories, "central": MAVEN_CENTRAL_URL},
    )
    component = context.project(jar.group, jar.artifact).at_version(jar.version)
    return Path(component.artifact().resolve())


def _megabytes(filename: str, total: int, progress: Progress) -> Callable[[int], None]:
    """Return a callback that reports a large jar's progress every 5 MB."""
    received = 0

    def update(count: int) -> None:
        nonlocal received
        before, received = received, received + count
        if received // 5_000_000 > before // 5_000_000:
            progress(f"         {received / 1e6:.0f} of {total / 1e6:.0f} MB  {filename}")

    return update
