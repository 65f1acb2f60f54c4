"""Landlock (landlock(7)): which files a process may reach, whether it may use TCP, and whom it may signal."""

import ctypes
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

from services.worker.confinement.kernel import (
    LANDLOCK_ADD_RULE,
    LANDLOCK_CREATE_RULESET,
    LANDLOCK_RESTRICT_SELF,
    call,
)

EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
REMOVE_DIR, REMOVE_FILE, MAKE_DIR, MAKE_REG = 1 << 4, 1 << 5, 1 << 7, 1 << 8
TRUNCATE: Final = 1 << 14
READ: Final = READ_FILE | READ_DIR
WRITE: Final = READ_FILE | READ_DIR | WRITE_FILE | REMOVE_DIR | REMOVE_FILE | MAKE_DIR | MAKE_REG | TRUNCATE
OF_FILES: Final = EXECUTE | READ_FILE | WRITE_FILE | TRUNCATE
"""Of the rights of a rule, those that a rule of a single file may have."""
BIND_TCP, CONNECT_TCP = 1 << 0, 1 << 1
ABSTRACT_SOCKETS, SIGNALS = 1 << 0, 1 << 1
SINCE_NETWORK, SINCE_SCOPES = 4, 6
VERSION: Final = 1  # LANDLOCK_CREATE_RULESET_VERSION
PATH_BENEATH: Final = 1


class _Ruleset(ctypes.Structure):
    _fields_ = (("files", ctypes.c_uint64), ("network", ctypes.c_uint64), ("scoped", ctypes.c_uint64))


class _Beneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed", ctypes.c_uint64), ("folder", ctypes.c_int32))


def version() -> int:
    """The version of the kernel's Landlock, from 1; 0 where it has none or it is switched off."""
    try:
        return call(LANDLOCK_CREATE_RULESET, None, 0, VERSION)
    except OSError:
        return 0


def file_rights(abi: int) -> int:
    """All rights over files that a version knows; what it does not know stays allowed."""
    return (1 << (13 + sum(abi >= since for since in (2, 3, 5)))) - 1


class Ruleset:
    """Rules that allow what they name; all else of `file_rights`, TCP and signals is refused.

    `network`: connections may be made, none accepted. Without it no TCP.
    """

    def __init__(self, abi: int, network: bool) -> None:
        tcp = (BIND_TCP if network else BIND_TCP | CONNECT_TCP) if abi >= SINCE_NETWORK else 0
        scopes = ABSTRACT_SOCKETS | SIGNALS if abi >= SINCE_SCOPES else 0
        self._handled = file_rights(abi)
        attributes = _Ruleset(self._handled, tcp, scopes)
        size = 8 * (1 + (abi >= SINCE_NETWORK) + (abi >= SINCE_SCOPES))
        self._descriptor = call(LANDLOCK_CREATE_RULESET, ctypes.addressof(attributes), size, 0)

    def allow(self, paths: Iterable[Path], rights: int) -> None:
        """Allow rights for folders, with all below them, and for files. What cannot be reached is left out."""
        for path in paths:
            with suppress(FileNotFoundError, NotADirectoryError, PermissionError):
                descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
                try:
                    self._add(descriptor, rights if path.is_dir() else rights & OF_FILES)
                finally:
                    os.close(descriptor)

    def _add(self, descriptor: int, rights: int) -> None:
        rule = _Beneath(rights & self._handled, descriptor)
        call(LANDLOCK_ADD_RULE, self._descriptor, PATH_BENEATH, ctypes.addressof(rule), 0)

    def apply(self) -> None:
        """Restrict this thread and what it starts, for good. Requires no_new_privs. Raises OSError."""
        call(LANDLOCK_RESTRICT_SELF, self._descriptor, 0)
        os.close(self._descriptor)
