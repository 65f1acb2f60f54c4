"""The system account that Postgres runs as when the stack runs as root, since Postgres refuses to run as root.

Linux only. Folders closed to other users (a clone under /root, a private temporary folder) get an entry in their
access control list with execute permission for this account only: it can traverse the folder, not list or read it.
"""

import errno
import fcntl
import os
import pwd
import struct
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from piperoll.embedded.errors import StackError
from piperoll.embedded.process import SystemAccount

NAME = "piperoll-postgres"
LOCK = Path("/run/piperoll-postgres.lock")

# <linux/posix_acl_xattr.h>: a version, then entries of (tag, permissions, id); only _USER and _GROUP have an id.
_ACL = "system.posix_acl_access"
_VERSION = 2
_USER_OBJ, _USER, _GROUP_OBJ, _GROUP, _MASK, _OTHER = 0x01, 0x02, 0x04, 0x08, 0x10, 0x20
_NO_ID = 0xFFFFFFFF
_EXECUTE = 0o1

Entry = tuple[int, int, int]


def postgres_account() -> SystemAccount | None:
    """Return the account to run Postgres as, created if it is missing; None when not root."""
    if os.geteuid() != 0:
        return None
    entry = _found() or _create()
    return SystemAccount(entry.pw_name, entry.pw_uid, entry.pw_gid)


def _found() -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(NAME)
    except KeyError:
        return None


def _create() -> pwd.struct_passwd:
    try:
        with _alone():
            complaint = "" if _found() else _add()
    except OSError as error:
        complaint = str(error)
    if (entry := _found()) is None:
        raise StackError(
            f"Postgres does not run as root, and the account {NAME} could not be created ({complaint}): "
            f"create it, or run piperoll as an ordinary user"
        )
    return entry


@contextmanager
def _alone() -> Iterator[None]:
    """One stack at a time: of two that add the account at once, the second would replace it with another user id."""
    descriptor = os.open(LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _add() -> str:
    """Add the account; return the complaint of the program. Raises OSError if there is no such program."""
    command = [
        "useradd",
        "--system",
        "--user-group",
        "--no-create-home",
        "--shell",
        "/usr/sbin/nologin",
        NAME,
    ]
    return subprocess.run(command, capture_output=True, text=True, check=False).stderr.strip()


def allow_traversal(account: SystemAccount, path: Path, on_event: Callable[[str], None]) -> None:
    """Let `account` traverse `path` and all folders above it; report changed folders. Raises StackError."""
    for folder in reversed([path.resolve(), *path.resolve().parents]):
        state = folder.stat()
        if state.st_uid == account.uid or _may_traverse(folder, state.st_mode, account.uid):
            continue
        try:
            os.setxattr(folder, _ACL, pack_acl(with_execute(_entries(folder, state.st_mode), account.uid)))
        except OSError as error:
            raise StackError(
                f"the account {account.name}, which runs Postgres instead of root, cannot traverse "
                f"{folder} ({error.strerror}): use a data folder that others may traverse, such as one in "
                f"/var/lib, or run `chmod o+x {folder}`, or run piperoll as an ordinary user"
            ) from error
        on_event(f"allowed the account {account.name} to traverse {folder} (execute only, for Postgres)")


def with_execute(entries: list[Entry], uid: int) -> list[Entry]:
    """Return the access control list with execute for the user `uid`, and with execute in the mask."""
    others = [entry for entry in entries if entry[0] != _MASK and entry[::2] != (_USER, uid)]
    own = next((permissions for tag, permissions, name in entries if (tag, name) == (_USER, uid)), 0)
    group = next(permissions for tag, permissions, _ in entries if tag == _GROUP_OBJ)
    mask = next((permissions for tag, permissions, _ in entries if tag == _MASK), group)
    # The kernel requires entries ordered by tag, then by id.
    changed = [(_USER, own | _EXECUTE, uid), (_MASK, mask | _EXECUTE, _NO_ID)]
    return sorted([*others, *changed], key=lambda entry: entry[::2])


def pack_acl(entries: list[Entry]) -> bytes:
    """Encode the access control list as the kernel stores it."""
    return struct.pack("<I", _VERSION) + b"".join(struct.pack("<HHI", *entry) for entry in entries)


def unpack_acl(value: bytes) -> list[Entry]:
    """Decode a stored access control list into entries (tag, permissions, id)."""
    return list(struct.iter_unpack("<HHI", value[4:]))


def _entries(folder: Path, mode: int) -> list[Entry]:
    try:
        return unpack_acl(os.getxattr(folder, _ACL))
    except OSError as error:
        if error.errno not in (errno.ENODATA, errno.ENOTSUP):
            raise
    return [
        (_USER_OBJ, mode >> 6 & 0o7, _NO_ID),
        (_GROUP_OBJ, mode >> 3 & 0o7, _NO_ID),
        (_OTHER, mode & 0o7, _NO_ID),
    ]


def _may_traverse(folder: Path, mode: int, uid: int) -> bool:
    """Whether the user may traverse: by its entry in the list, else by the permissions of others."""
    entries = _entries(folder, mode)
    for tag, permissions, name in entries:
        if tag == _USER and name == uid:
            mask = next((entry[1] for entry in entries if entry[0] == _MASK), 0o7)
            return bool(permissions & mask & _EXECUTE)
    return bool(mode & _EXECUTE)
