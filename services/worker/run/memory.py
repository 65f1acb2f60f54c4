"""Memory of a child process: detection of refused allocations, and release of freed memory."""

import ctypes
from contextlib import suppress

SIGNS = ("malloc", "calloc", "realloc", "out of memory", "bad_alloc", "bad allocation", "insufficient memory",
         "failed to allocate", "could not create a memory object")  # fmt: skip


def raise_if_memory(error: BaseException) -> None:
    """Raise MemoryError for a library's error that means a refused allocation: the input is not the cause."""
    if isinstance(error, MemoryError):
        raise error
    words = str(error).lower()
    if any(sign in words for sign in SIGNS):
        raise MemoryError(str(error)[:200]) from error


def give_back() -> None:
    """Return freed memory to the system, if the C library can: glibc keeps hundreds of MiB after an OCR."""
    with suppress(AttributeError):  # another C library has no malloc_trim(3)
        ctypes.CDLL(None).malloc_trim(0)
