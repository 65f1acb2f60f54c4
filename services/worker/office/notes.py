"""What could not be read of a file, for the warnings of its result."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from services.worker.errors import ProcessingError
from services.worker.run.memory import raise_if_memory

MAX_NOTES: Final = 40
"""Notes about one file; later ones are counted."""


class NoteList:
    """Notes in their order, each once."""

    def __init__(self) -> None:
        self._notes: dict[str, None] = {}
        self._more = 0

    def add(self, note: str) -> None:
        """Add a sentence."""
        if note in self._notes:
            return
        if len(self._notes) < MAX_NOTES:
            self._notes[note] = None
        else:
            self._more += 1

    @contextmanager
    def isolating(self, what: str) -> Iterator[None]:
        """Turn any fault inside into a note: one odd part never costs the rest of a file.

        `what` names the part, such as `A chart on slide 3`. Refusals and a lack of memory pass through.
        """
        try:
            yield
        except ProcessingError:
            raise
        except Exception as error:  # noqa: BLE001 - a part may be wrong in any way, and the note names it
            raise_if_memory(error)
            self.add(f"{what} could not be read.")

    def all(self) -> tuple[str, ...]:
        """Return the notes."""
        more = (f"There are {self._more} more notes of this kind.",) if self._more else ()
        return (*self._notes, *more)
