"""A processor that a hostile file has taken over: it tries what the confinement forbids and reports what happened.

It is installed as a plug-in for the children of a pool (`tests.support.hostile.den`), under the module name `hostile`.
"""

import ctypes
import os
import resource
import signal
import socket
import struct
import time
from pathlib import Path

from schemas.claims import Claim
from schemas.job_types.declaration import JobType, open_to_network
from schemas.job_types.parameters import JobParameters
from services.worker.run.workspace import Result

PTRACE_ATTACH = 16
PR_GET_DUMPABLE = 3


class HostileParameters(JobParameters):
    """`trial` is the name of a function below, `target` what it works on."""

    trial: str
    target: str = ""


def process(parameters, workspace, report):
    if parameters.trial == "forge_an_index":
        stolen = Claim(uri=parameters.target, sha256="0" * 64, size=1)
        return Result(structured_data={}, index=stolen)
    try:
        got = TRIALS[parameters.trial](parameters.target, workspace)
    except OSError as error:
        return Result(structured_data={"refused": type(error).__name__, "errno": error.errno})
    return Result(structured_data={"got": got})


def read(target, workspace):
    return Path(target).read_bytes().decode(errors="replace")


def names_in(target, workspace):
    return sorted(path.name for path in Path(target).iterdir())


def write(target, workspace):
    return Path(target).write_text("mine")


def write_in_the_scratch_folder(target, workspace):
    path = workspace.folder / "note"
    path.write_text("mine")
    return path.read_text()


def read_through_a_link(target, workspace):
    link = workspace.folder / "link"
    link.symlink_to(target)
    return link.read_text()


def store_a_file_by_a_link(target, workspace):
    link = workspace.folder / "link"
    link.symlink_to(target)
    return workspace.keep_file("stolen", link, "text/plain")


def get_blob(target, workspace):
    return workspace.blobs.get(target).decode()


def link_blob(target, workspace):
    return workspace.blobs.local_path(target).read_text()


def delete_blob(target, workspace):
    return workspace.blobs.delete([target])


def overwrite_blob(target, workspace):
    return workspace.blobs.put_named(target, b"mine", "text/plain").uri


def flood(target, workspace):
    """A message that is larger than any memory."""
    line = workspace.blobs._channel._line
    body = b'{"kind": "store", "call": "put", "uris": ["a"]}'
    line.sendall(struct.pack("!IQ?", len(body), 4 * 1024**3, False) + body)
    while True:
        line.sendall(bytes(1024**2))


def open_input(target, workspace):
    """The run's own blob, through the child; then try to change it, which would change the store."""
    path = workspace.blobs.local_path(target)
    content = path.read_text()
    try:
        path.write_text("changed")
    except OSError as error:
        return [content, type(error).__name__]
    return [content, "changed"]


def connect(target, workspace):
    with socket.create_connection(("127.0.0.1", int(target)), timeout=5):
        return "connected"


def send_datagram(target, workspace):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        return line.sendto(b"x", ("127.0.0.1", int(target)))


def listen(target, workspace):
    with socket.create_server(("127.0.0.1", 0)):
        return "listening"


def unix_socket(target, workspace):
    with socket.socket(socket.AF_UNIX):
        return "opened"


def fork_bomb(target, workspace):
    """Processes that start processes, for ever."""
    while True:
        try:
            os.fork()
        except OSError:
            time.sleep(0.01)


def fork_until_refused(target, workspace):
    """The number of processes that could be started."""
    started = []
    try:
        while len(started) < 5000:
            started.append(os.fork())
            if started[-1] == 0:
                time.sleep(600)
                os._exit(0)
    except OSError:
        pass
    for process in started:
        os.kill(process, signal.SIGKILL)
    return len(started)


def leave_the_process_group(target, workspace):
    return os.setsid()


def signal_process(target, workspace):
    return os.kill(int(target), 0)


def trace_process(target, workspace):
    return _called(ctypes.CDLL(None, use_errno=True).ptrace, PTRACE_ATTACH, int(target), None, None)


def limit_process(target, workspace):
    return resource.prlimit(int(target), resource.RLIMIT_NOFILE)


def change_rights(target, workspace):
    """Of a file of its own account, as all files of a worker that is not root."""
    path = workspace.folder / "mine"
    path.touch()
    path.chmod(0o777)


def change_times(target, workspace):
    path = workspace.folder / "mine"
    path.touch()
    os.utime(path, (1, 1))


def new_namespaces(target, workspace):
    return _called(ctypes.CDLL(None, use_errno=True).unshare, 0x10000000)


def dumpable(target, workspace):
    return ctypes.CDLL(None).prctl(PR_GET_DUMPABLE, 0, 0, 0, 0)


def account(target, workspace):
    return [os.getuid(), os.geteuid(), os.getgroups()]


def own_environment(target, workspace):
    at_start = Path("/proc/self/environ").read_bytes().decode(errors="replace").split("\0")
    return sorted({*(f"{name}={value}" for name, value in os.environ.items()), *at_start})


def keys(target, workspace):
    return [workspace.providers.has_ocr, workspace.providers.has_chat]


def _called(function, *arguments):
    if function(*arguments) != 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
    return "done"


TRIALS = {name: one for name, one in globals().items() if callable(one) and not name.startswith("_")}

CLOSED = JobType(name="hostile", parameters=HostileParameters, processor="hostile:process")
OPEN = JobType(
    name="hostile_open",
    parameters=HostileParameters,
    processor="hostile:process",
    reaches_network=open_to_network,
)
