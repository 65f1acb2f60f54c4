"""The system account that Postgres runs as when we are root, since Postgres refuses to run as root.

Linux only, which is where one is root in a container. The account may pass through folders that are closed to
others (a clone under /root, a private temporary folder) by one entry each in their access control lists:
execute for that account alone, so it can neither list the folder nor read in it, and nobody else gains
anything.
"""

import errno
import os
import pwd
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path

from piperoll.embedded.errors import StackError
from piperoll.embedded.process import Account

NAME = "piperoll-postgres"

# <linux/posix_acl_xattr.h>: a version, then entries of (tag, permissions, id); ids only where the tag names
# someone.
_ACL = "system.posix_acl_access"
_VERSION = 2
_USER_OBJ, _USER, _GROUP_OBJ, _GROUP, _MASK, _OTHER = 0x01, 0x02, 0x04, 0x08, 0x10, 0x20
_NO_ID = 0xFFFFFFFF
_EXECUTE = 0o1

Entry = tuple[int, int, int]


def postgres_account() -> Account | None:
    """Return the account to run Postgres as, made if it is missing; None when we are not root."""
    if os.geteuid() != 0:
        return None
    try:
        entry = pwd.getpwnam(NAME)
    except KeyError:
        entry = _create()
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def _create() -> pwd.struct_passwd:
    command = [
        "useradd",
        "--system",
        "--user-group",
        "--no-create-home",
        "--shell",
        "/usr/sbin/nologin",
        NAME,
    ]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        complaint = done.stderr.strip()
    except FileNotFoundError:
        complaint = "there is no useradd here"
    try:
        return pwd.getpwnam(NAME)  # also when another stack has just made it
    except KeyError:
        raise StackError(
            f"Postgres does not run as root, and the account {NAME} could not be made ({complaint}): "
            f"create it, or run piperoll as an ordinary user"
        ) from None


def let_pass(account: Account, path: Path, on_event: Callable[[str], None]) -> None:
    """See to it that `account` can reach `path`, an existing folder, through all folders above it.

    Tells `on_event` of every folder it had to open. Raises StackError when one cannot be opened.
    """
    for folder in reversed([path.resolve(), *path.resolve().parents]):
        state = folder.stat()
        if state.st_uid == account.uid or _may_pass(folder, state.st_mode, account.uid):
            continue
        try:
            os.setxattr(folder, _ACL, packed(opened(_entries(folder, state.st_mode), account.uid)))
        except OSError as error:
            raise StackError(
                f"the account {account.name}, which Postgres runs as since we are root, cannot pass through "
                f"{folder} ({error.strerror}): use a data folder that others may pass through, such as one in "
                f"/var/lib, or run `chmod o+x {folder}`, or run piperoll as an ordinary user"
            ) from error
        on_event(f"let the account {account.name} pass through {folder} (execute only, for Postgres)")


def opened(entries: list[Entry], uid: int) -> list[Entry]:
    """Return the access control list with execute for the user `uid`, and a mask that lets it take effect."""
    others = [entry for entry in entries if entry[0] != _MASK and entry[::2] != (_USER, uid)]
    own = next((permissions for tag, permissions, name in entries if (tag, name) == (_USER, uid)), 0)
    group = next(permissions for tag, permissions, _ in entries if tag == _GROUP_OBJ)
    mask = next((permissions for tag, permissions, _ in entries if tag == _MASK), group)
    # The kernel wants entries ordered by tag, then by id.
    changed = [(_USER, own | _EXECUTE, uid), (_MASK, mask | _EXECUTE, _NO_ID)]
    return sorted([*others, *changed], key=lambda entry: entry[::2])


def packed(entries: list[Entry]) -> bytes:
    """Return the access control list as the kernel stores it."""
    return struct.pack("<I", _VERSION) + b"".join(struct.pack("<HHI", *entry) for entry in entries)


def unpacked(value: bytes) -> list[Entry]:
    """Return the entries (tag, permissions, id) of a stored access control list."""
    return list(struct.iter_unpack("<HHI", value[4:]))


def _entries(folder: Path, mode: int) -> list[Entry]:
    try:
        return unpacked(os.getxattr(folder, _ACL))
    except OSError as error:
        if error.errno not in (errno.ENODATA, errno.ENOTSUP):
            raise
    return [
        (_USER_OBJ, mode >> 6 & 0o7, _NO_ID),
        (_GROUP_OBJ, mode >> 3 & 0o7, _NO_ID),
        (_OTHER, mode & 0o7, _NO_ID),
    ]


def _may_pass(folder: Path, mode: int, uid: int) -> bool:
    """Judge by the list's entry for the user if there is one, which goes before what all others may."""
    entries = _entries(folder, mode)
    for tag, permissions, name in entries:
        if tag == _USER and name == uid:
            mask = next((entry[1] for entry in entries if entry[0] == _MASK), 0o7)
            return bool(permissions & mask & _EXECUTE)
    return bool(mode & _EXECUTE)
