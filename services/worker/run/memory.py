"""Memory of a child process: what a refused allocation looks like, and giving back what a big job left behind."""

import ctypes
from contextlib import suppress

SIGNS = ("malloc", "calloc", "realloc", "out of memory", "bad_alloc", "bad allocation", "insufficient memory",
         "failed to allocate", "could not create a memory object")  # fmt: skip


def raise_if_memory(error: BaseException) -> None:
    """Raises MemoryError for a library's error that means a refused allocation: the input is not at fault."""
    if isinstance(error, MemoryError):
        raise error
    words = str(error).lower()
    if any(sign in words for sign in SIGNS):
        raise MemoryError(str(error)[:200]) from error


def give_back() -> None:
    """Returns freed memory to the system, where the C library can: glibc keeps hundreds of MiB after an OCR."""
    with suppress(AttributeError):  # another C library has no malloc_trim(3)
        ctypes.CDLL(None).malloc_trim(0)
