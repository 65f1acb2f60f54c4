"""The page that a child works on, noted in memory shared with its worker, which reads it when the child has died.

A child runs one job at a time, so the note, the steps to skip and the steps that failed belong to the process. Only
work on a page that may crash or hang is noted; a call of a provider is not, since an outage is not the fault of the
page.
"""

import mmap
import os
import struct
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import Final, Literal, NamedTuple, ParamSpec, TypeVar

from services.worker.run.memory import give_back

Step = Literal["text", "draw", "ocr", "layout"]
STEPS: Final[tuple[Step, ...]] = ("text", "draw", "ocr", "layout")
HARMLESS: Final = frozenset({"layout"})
"""Steps without which a page is whole: its text stands in paragraphs."""
NOTE: Final = struct.Struct("=BId")  # 1 + index in STEPS, or 0; page, from 1; time.monotonic() of its start

P = ParamSpec("P")
T = TypeVar("T")


class PageFailedError(RuntimeError):
    """A program crashed or took too long on this page; the work on other pages may succeed."""


class PageStep(NamedTuple):
    """One step of the work on a page."""

    step: Step
    page: int


class PageNote:
    """The shared memory of one child. The worker passes its `descriptor` to the child."""

    def __init__(self, descriptor: int | None = None) -> None:
        """Map the memory of a descriptor, or new memory."""
        if descriptor is None:
            descriptor = os.memfd_create("page-note")
            os.ftruncate(descriptor, NOTE.size)
        self.descriptor = descriptor
        self._memory = mmap.mmap(descriptor, NOTE.size)

    @contextmanager
    def handed_over(self) -> Iterator[None]:
        """Close the descriptor at the end: the mapping stays, and the child has a copy."""
        try:
            yield
        finally:
            os.close(self.descriptor)

    def write(self, place: PageStep) -> None:
        """Note the page and the time."""
        NOTE.pack_into(self._memory, 0, 1 + STEPS.index(place.step), place.page, time.monotonic())

    def clear(self) -> None:
        """Note that no page is worked on."""
        self._memory[0] = 0

    def read(self) -> tuple[PageStep, float] | None:
        """Return the noted page and since when (monotonic seconds); None without one."""
        code, page, since = NOTE.unpack_from(self._memory, 0)
        return (PageStep(STEPS[code - 1], page), since) if 0 < code <= len(STEPS) else None


class _Care:
    """Where this process notes pages, and what its run leaves out."""

    def __init__(self) -> None:
        self.note: PageNote | None = None
        self.skipped: frozenset[PageStep] = frozenset()
        self.failed: dict[PageStep, PageFailedError | MemoryError] = {}


_care = _Care()


def note_in(note: PageNote) -> None:
    """Note pages in this memory from now on."""
    _care.note = note


def begin(skipped: Collection[PageStep]) -> None:
    """Begin a run, which leaves out the given steps."""
    _care.skipped = frozenset(skipped)
    _care.failed = {}
    if _care.note is not None:
        _care.note.clear()


def skipped_pages() -> list[int]:
    """Return the pages that lack something as this run leaves out a step, or the step failed in it, in order."""
    return sorted({place.page for place in (*_care.skipped, *_care.failed) if place.step not in HARMLESS})


def nothing_left_out() -> bool:
    """Whether all steps were done on all pages, so that another attempt finds no more."""
    return not (_care.skipped or _care.failed)


def raise_if_memory_alone() -> None:
    """Raise MemoryError if memory ran out on a page and no page had another fault: the document is not the cause."""
    if _care.failed and not _care.skipped and all(isinstance(one, MemoryError) for one in _care.failed.values()):
        raise MemoryError("memory ran out on every page")


def at_page(step: Step, page: int, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T | None:
    """Return the work's answer, noting the page meanwhile; None for a step to skip, without working.

    None also if memory runs out or for a PageFailedError, which fail the page and not the run.
    """
    place = PageStep(step, page)
    if place in _care.skipped:
        return None
    note = _care.note
    if note is not None:
        note.write(place)
    try:
        return work(*args, **kwargs)
    except (MemoryError, PageFailedError) as error:
        _care.failed[place] = error.with_traceback(None)  # its frames hold the page's image
    finally:
        if note is not None:
            note.clear()
    give_back()
    return None
