"""How our long-lived processes deal with memory: settled once, after the imports and before the work."""

import ctypes
import gc
from contextlib import suppress

M_ARENA_MAX = -8  # of malloc.h
COLLECT_AFTER = 20_000
"""Allocations between two looks for garbage. Requests and records come in thousands and leave no cycles: Python's
default of 700 spends a tenth of a service's time on looking."""


def settle() -> None:
    """Leaves what was imported out of garbage collection, makes it rarer, and has threads share two arenas.

    glibc gives each thread an arena of its own, which keeps what it once needed (mallopt(3)).
    """
    with suppress(AttributeError):  # another C library has no arenas
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, 2)
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER)
