"""The environment variables of the processes of a child: each gets what it needs.

A child starts with `PASSED` alone. It gets others over its line, after it forked its sandboxes, since a fork has all
that was in the memory before.
"""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

FIXED: Final = {
    "MALLOC_ARENA_MAX": "2",  # each arena reserves 64 MiB of the address space that the memory cap counts
    "TOKIO_WORKER_THREADS": "1",  # the blob store's runtime; a child makes one call at a time
    # A slot is a core, and a thread for each core of the machine would reserve address space in every child.
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_THREAD_LIMIT": "1",  # Tesseract's
    "ORT_DISABLE_TELEMETRY": "1",  # onnxruntime of RapidOCR; it sends events about each process to its maker
}
SETTINGS: Final = ("PIPEROLL_", "MISTRAL_")
"""The prefixes of Piperoll's settings, which reach a child by its Setup alone."""
PASSED: Final = (
    "PATH", "HOME", "LANG", "LANGUAGE", "LC_", "TZ", "PYTHON", "VIRTUAL_ENV", "LD_LIBRARY_PATH", "LD_PRELOAD",
    "TESSDATA_PREFIX", "SSL_CERT_", "MALLOC_", "OMP_", "OPENBLAS_", "TOKIO_", "FONTCONFIG_",
)  # fmt: skip
"""The prefixes of the variables that programs and libraries need, and that hold no secret."""
PROXIES: Final = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")
STORES: Final = ("AWS_", "AZURE_", "GOOGLE_", "OBJECT_STORE_")
"""The prefixes of the variables of object stores."""


def at_start() -> dict[str, str]:
    """The variables that a child starts with."""
    return {**FIXED, **_chosen(os.environ, PASSED)}


def for_the_child() -> dict[str, str]:
    """The further variables of the worker that its child needs, for itself and for sandboxes."""
    return {**_chosen(os.environ, STORES), **proxies(os.environ)}


def proxies(variables: Mapping[str, str]) -> dict[str, str]:
    """The proxies of the network, for sandboxes that use it."""
    return {name: value for name, value in variables.items() if name.upper() in PROXIES}


def of_stores() -> dict[str, str]:
    """The settings of object stores in this process, for a job that names one."""
    return _chosen(os.environ, STORES)


def credential_files() -> tuple[str, ...]:
    """The files that settings of object stores name, such as a key or a token that is renewed."""
    named = (value for value in _chosen(os.environ, STORES).values() if value.startswith("/"))
    return tuple(path for path in named if Path(path).is_file())


def programs() -> tuple[Path, ...]:
    """The folders in which this process finds programs, their libraries and the data of Tesseract."""
    named = [os.environ.get(name, "").split(os.pathsep) for name in ("LD_LIBRARY_PATH", "TESSDATA_PREFIX")]
    found = (*os.get_exec_path(), *(part for parts in named for part in parts))
    return tuple(path for path in map(Path, found) if path.is_absolute())


def adopt(variables: Mapping[str, str]) -> None:
    """Add variables to this process."""
    os.environ.update(variables)


def move_into(folder: Path, packages: Iterable[Path]) -> None:
    """Let programs and libraries write their temporary files and caches to a folder, and Python find `packages` there.

    A sandbox cannot list the folder of a repository, so another Python that it starts finds no package by it.
    """
    links = folder / "packages"
    links.mkdir()
    for package in packages:
        (links / package.name).symlink_to(package)
    os.environ["PYTHONPATH"] = os.pathsep.join((str(links), os.environ.get("PYTHONPATH", "")))
    os.environ.update(dict.fromkeys(("HOME", "TMPDIR", "XDG_CACHE_HOME"), str(folder)))


def _chosen(variables: Mapping[str, str], prefixes: tuple[str, ...]) -> dict[str, str]:
    return {name: value for name, value in variables.items() if name.startswith(prefixes)}
