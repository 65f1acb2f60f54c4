"""The processor time of a child and of what it started."""

import os
from pathlib import Path

_TICKS_S = 1 / os.sysconf("SC_CLK_TCK")
_SESSION, _TIMES = 3, slice(11, 15)  # of the fields behind the name: session; utime, stime, cutime, cstime (proc(5))


def of_session(leader: int) -> float:
    """Return the processor time in seconds of all processes of a session, and of those that they waited for.

    Processes that a child starts stay in its session: a sandbox may not leave it.
    """
    ticks = 0
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            ticks += _ticks(Path(entry.path, "stat"), leader)
    return ticks * _TICKS_S


def _ticks(stat: Path, leader: int) -> int:
    try:
        fields = stat.read_bytes().rpartition(b")")[2].split()
    except OSError:  # it ended meanwhile
        return 0
    return sum(map(int, fields[_TIMES])) if int(fields[_SESSION]) == leader else 0
