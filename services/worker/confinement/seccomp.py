"""The filter of system calls (seccomp(2)), as a classic BPF program. `program` is pure; `install` applies it."""

import ctypes
import errno
import struct
from typing import Final, NamedTuple

from services.worker.confinement import forbidden_calls as calls
from services.worker.confinement.kernel import Architecture, call

LOAD, JUMP_EQUAL, JUMP_GREATER_EQUAL, JUMP_ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06  # linux/bpf_common.h
ALLOW: Final = 0x7FFF0000
KILL: Final = 0x80000000
REFUSE: Final = 0x00050000  # or'ed with the error number
NUMBER_AT, ARCHITECTURE_AT, FIRST_ARGUMENT_AT = 0, 4, 16  # of struct seccomp_data, on little-endian machines
X32_BIT: Final = 0x40000000  # a second table of calls on x86_64 that would pass a filter of numbers
INTERNET: Final = (2, 10)  # AF_INET, AF_INET6
NEW_NAMESPACES: Final = 0x7E020000  # CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET (clone(2))
SET_MODE_FILTER: Final = 1
ALL_THREADS: Final = 1  # SECCOMP_FILTER_FLAG_TSYNC


class Instruction(NamedTuple):
    """One instruction: its code, the jumps if its test is true and false, and its operand (struct sock_filter)."""

    code: int
    if_true: int
    if_false: int
    operand: int


def program(architecture: Architecture, network: bool) -> list[Instruction]:
    """The filter. `network`: sockets of the internet may be opened, else none.

    clone3 does not exist for the process, so that the C library uses clone, whose flags can be read here.
    """
    column = calls.COLUMN[architecture.name]
    return [
        Instruction(LOAD, 0, 0, ARCHITECTURE_AT),
        Instruction(JUMP_EQUAL, 1, 0, architecture.audit),
        Instruction(RETURN, 0, 0, KILL),
        Instruction(LOAD, 0, 0, NUMBER_AT),
        *([Instruction(JUMP_GREATER_EQUAL, 0, 1, X32_BIT), Instruction(RETURN, 0, 0, KILL)] if column == 0 else ()),
        *_refused(calls.CLONE3[column], errno.ENOSYS),
        *(one for number in calls.numbers(architecture.name) for one in _refused(number, errno.EPERM)),
        *(one for row in calls.OWN_ALONE.values() for one in _own_alone(row[column])),
        *_clone(calls.CLONE[column]),
        *(_internet_only(calls.SOCKET[column]) if network else _refused(calls.SOCKET[column], errno.EACCES)),
        Instruction(RETURN, 0, 0, ALLOW),
    ]


def _refused(number: int, error: int) -> list[Instruction]:
    return [Instruction(JUMP_EQUAL, 0, 1, number), Instruction(RETURN, 0, 0, REFUSE | error)]


def _own_alone(number: int) -> list[Instruction]:
    return [
        Instruction(JUMP_EQUAL, 0, 4, number),
        Instruction(LOAD, 0, 0, FIRST_ARGUMENT_AT),
        Instruction(JUMP_EQUAL, 1, 0, 0),
        Instruction(RETURN, 0, 0, REFUSE | errno.EPERM),
        Instruction(RETURN, 0, 0, ALLOW),
    ]


def _clone(number: int) -> list[Instruction]:
    """Threads and processes, but no new namespaces."""
    return [
        Instruction(JUMP_EQUAL, 0, 4, number),
        Instruction(LOAD, 0, 0, FIRST_ARGUMENT_AT),
        Instruction(JUMP_ANY_BIT, 0, 1, NEW_NAMESPACES),
        Instruction(RETURN, 0, 0, REFUSE | errno.EPERM),
        Instruction(RETURN, 0, 0, ALLOW),
    ]


def _internet_only(number: int) -> list[Instruction]:
    families = [Instruction(JUMP_EQUAL, len(INTERNET) - at, 0, family) for at, family in enumerate(INTERNET)]
    return [
        Instruction(JUMP_EQUAL, 0, len(families) + 3, number),
        Instruction(LOAD, 0, 0, FIRST_ARGUMENT_AT),
        *families,
        Instruction(RETURN, 0, 0, REFUSE | errno.EACCES),
        Instruction(RETURN, 0, 0, ALLOW),
    ]


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_void_p))


def install(architecture: Architecture, network: bool) -> None:
    """Filter the calls of all threads of this process, for good. Requires no_new_privs. Raises OSError."""
    instructions = program(architecture, network)
    packed = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *one) for one in instructions))
    given = _Program(len(instructions), ctypes.addressof(packed))
    if call(architecture.seccomp, SET_MODE_FILTER, ALL_THREADS, ctypes.addressof(given)) != 0:
        raise OSError(errno.EAGAIN, "a thread of the process has another filter")
