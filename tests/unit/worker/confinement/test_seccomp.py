"""The filter of system calls, run by an interpreter of the few instructions that it has."""

import errno
import struct

import pytest

from services.worker.confinement import forbidden_calls as calls
from services.worker.confinement import seccomp
from services.worker.confinement.kernel import ARCHITECTURES, Architecture

ALLOWED = {"x86_64": {"read": 0, "openat": 257, "execve": 59, "socketpair": 53}, "aarch64": {"read": 63, "openat": 56}}
THREAD = 0x3D0F00  # the flags of pthread_create
NEW_USER_NAMESPACE = 0x10000000
AF_UNIX, AF_INET, AF_INET6, AF_PACKET = 1, 2, 10, 17


def refused(error: int) -> int:
    return seccomp.REFUSE | error


def judge(architecture: Architecture, network: bool, number: int, *arguments: int, audit: int | None = None) -> int:
    """The filter's verdict on a call: interprets the program over a struct seccomp_data (bpf(4), seccomp(2))."""
    words = (*arguments, 0, 0, 0, 0, 0, 0)[:6]
    data = struct.pack("<iIQ6Q", number, architecture.audit if audit is None else audit, 0, *words)
    program = seccomp.program(architecture, network)
    at, word = 0, 0
    while True:
        code, if_true, if_false, operand = program[at]
        at += 1
        match code:
            case seccomp.LOAD:
                (word,) = struct.unpack_from("<I", data, operand)
            case seccomp.RETURN:
                return operand
            case seccomp.JUMP_EQUAL:
                at += if_true if word == operand else if_false
            case seccomp.JUMP_GREATER_EQUAL:
                at += if_true if word >= operand else if_false
            case seccomp.JUMP_ANY_BIT:
                at += if_true if word & operand else if_false


@pytest.fixture(params=ARCHITECTURES.values(), ids=ARCHITECTURES.keys())
def architecture(request: pytest.FixtureRequest) -> Architecture:
    found: Architecture = request.param
    return found


@pytest.mark.parametrize("network", [False, True])
def test_every_forbidden_call_is_refused_and_others_are_allowed(architecture: Architecture, network: bool) -> None:
    for number in calls.numbers(architecture.name):
        assert judge(architecture, network, number) == refused(errno.EPERM)
    for number in ALLOWED[architecture.name].values():
        assert judge(architecture, network, number) == seccomp.ALLOW


def test_threads_and_processes_are_allowed_and_namespaces_are_not(architecture: Architecture) -> None:
    column = calls.COLUMN[architecture.name]
    clone = calls.CLONE[column]
    assert judge(architecture, False, clone, THREAD) == seccomp.ALLOW
    assert judge(architecture, False, clone, 17) == seccomp.ALLOW
    assert judge(architecture, False, clone, 17 | NEW_USER_NAMESPACE) == refused(errno.EPERM)
    assert judge(architecture, False, calls.CLONE3[column]) == refused(errno.ENOSYS)


def test_only_with_the_network_there_are_sockets_and_only_of_the_internet(architecture: Architecture) -> None:
    socket = calls.SOCKET[calls.COLUMN[architecture.name]]
    for family in (AF_INET, AF_INET6):
        assert judge(architecture, True, socket, family) == seccomp.ALLOW
        assert judge(architecture, False, socket, family) == refused(errno.EACCES)
    for family in (AF_UNIX, AF_PACKET):
        assert judge(architecture, True, socket, family) == refused(errno.EACCES)


def test_limits_and_processors_are_set_for_the_caller_alone(architecture: Architecture) -> None:
    for row in calls.OWN_ALONE.values():
        number = row[calls.COLUMN[architecture.name]]
        assert judge(architecture, False, number, 0) == seccomp.ALLOW
        assert judge(architecture, False, number, 4711) == refused(errno.EPERM)


def test_another_interface_of_the_processor_ends_the_process(architecture: Architecture) -> None:
    assert judge(architecture, True, 0, audit=0x40000003) == seccomp.KILL


def test_the_second_table_of_calls_of_x86_64_ends_the_process() -> None:
    assert judge(ARCHITECTURES["x86_64"], True, seccomp.X32_BIT | 101) == seccomp.KILL


def test_no_number_is_listed_twice(architecture: Architecture) -> None:
    numbers = calls.numbers(architecture.name)
    assert len(set(numbers)) == len(numbers)
