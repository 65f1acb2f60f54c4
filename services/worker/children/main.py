"""A child process: takes assignments from a socket one by one, and has confined sandboxes run them. May be killed.

Started by `.process` as `python -m services.worker.children.main FD PARENT NOTE`. It imports all processors and forks
two sandboxes, one of which has the network, before it reads the settings. Then it does their errands: it uses the blob
store, but neither log nor SQL, and reads no foreign file itself. It dies with its parent and as its sandboxes die.
"""

import faulthandler
import os
import resource
import signal
import socket
import sys
import time
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Final, NoReturn

from piperoll import tuning
from piperoll.process_memory import keep_private
from services.worker import processors
from services.worker.children import environment
from services.worker.children.channel import ChannelClosedError
from services.worker.children.desk import Desk
from services.worker.children.forked import ForkedSandbox
from services.worker.children.protocol import Assignment, Message, Setup
from services.worker.run import page_care
from services.worker.run.parent_death import die_with

NOTICE_S: Final = 5.0
"""From the end of a sandbox's line to the kernel's notice that the sandbox has ended."""

OOM_SCORE: Final = Path("/proc/self/oom_score_adj")
MOST_LIKELY: Final = 1000


def main() -> None:
    """Serve until the socket closes. Arguments: the socket's descriptor, the parent's process id, a PageNote's."""
    descriptor, parent, note = (int(argument) for argument in sys.argv[1:4])
    die_with(parent)
    _be_ended_first()
    keep_private()  # where the kernel has no Landlock, a sandbox of the same account could read and write its memory
    page_care.note_in(page_care.PageNote(note))
    faulthandler.enable()  # a segfault leaves the Python stack on standard error, which the parent logs
    processors.load_all()
    tuning.apply()
    closed, opened = ForkedSandbox("closed"), ForkedSandbox("open")
    signal.signal(signal.SIGCHLD, _die_like_a_sandbox)
    with socket.socket(fileno=descriptor) as line, line.makefile("rb") as incoming:

        def send(message: Message) -> None:
            line.sendall(message.line())

        setup = Setup.model_validate_json(incoming.readline())
        environment.adopt(setup.environment)
        resource.setrlimit(resource.RLIMIT_AS, (setup.memory_bytes, setup.memory_bytes))  # for what sandboxes send
        try:
            desk = Desk(setup, send, closed, opened)
            send(desk.prepare())
            for frame in incoming:
                desk.serve(Assignment.model_validate_json(frame))
        except ChannelClosedError:
            time.sleep(NOTICE_S)  # ends by the signal that the sandbox has ended
            raise


def _be_ended_first() -> None:
    """Have the system end this process and what it starts before others when memory runs out (proc(5)).

    A hostile file may use all of it by many processes, and its run can be repeated, which a broker's cannot.
    """
    with suppress(OSError):  # not on Linux
        OOM_SCORE.write_text(str(MOST_LIKELY))


def _die_like_a_sandbox(signum: int, frame: FrameType | None) -> NoReturn:
    """End as the sandbox ended, so that the worker sees how; the kernel ends the other sandbox with this process."""
    _, status = os.waitpid(-1, os.WNOHANG)
    if os.WIFSIGNALED(status):
        faulthandler.disable()  # the sandbox's own stack is on standard error
        ending = os.WTERMSIG(status)
        if ending != signal.SIGKILL:
            signal.signal(ending, signal.SIG_DFL)
        os.kill(os.getpid(), ending)
    os._exit(os.waitstatus_to_exitcode(status) or 1)


if __name__ == "__main__":
    main()
