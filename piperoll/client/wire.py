"""What a script asks of its driver, and what it gets back.

A script is a generator: it yields effects, gets their results, and returns its value. It does no I/O, so that the
blocking and the asynchronous client share every script, and tests play one without a network.
"""

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, Protocol, TypeAlias, TypeVar

from piperoll.client.policy import RetryPolicy

T = TypeVar("T")


class BodyFile(Protocol):
    """What a form reads a file from."""

    def read(self, size: int = -1, /) -> bytes:
        """Return the next bytes, empty at the end."""

    def close(self) -> None:
        """Release the file."""


@dataclass(frozen=True, slots=True)
class FilePart:
    """A file of a form, and the form's other fields.

    `open` returns it from its beginning; `again` is whether that works more than once.
    """

    name: str
    open: Callable[[], BodyFile]
    again: bool = True
    form: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ApiRequest:
    """A request to the API. `repeatable`: to send it twice is to send it once. `wait_s` is how long its answer may take
    beyond the client's timeout, as the request itself asks for."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    file: FilePart | None = None
    repeatable: bool = True
    wait_s: float = 0.0


@dataclass(frozen=True, slots=True)
class ApiReply:
    """The head of an answer, and its content unless that is read piece by piece. Names of headers are lower case."""

    status: int
    headers: Mapping[str, str]
    received_at: datetime
    content: bytes = b""


@dataclass(frozen=True, slots=True)
class TransportFault:
    """No answer arrived, or it ended early. `sent` is false if the request certainly did not reach the API."""

    reason: str
    sent: bool = True


@dataclass(frozen=True, slots=True)
class Send:
    """Send a request and read the whole answer: an ApiReply or a TransportFault."""

    request: ApiRequest


@dataclass(frozen=True, slots=True)
class Open:
    """Send a request and leave the content of a successful answer to Read: an ApiReply or a TransportFault."""

    request: ApiRequest


@dataclass(frozen=True, slots=True)
class Read:
    """Read from the answer that was opened last: bytes, empty at its end, or a TransportFault."""


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait for some seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Now:
    """Return the monotonic time in seconds."""


@dataclass(frozen=True, slots=True)
class GetPolicy:
    """Return the client's RetryPolicy."""


@dataclass(frozen=True, slots=True)
class Emit(Generic[T]):
    """Hand a value to the caller, who iterates over the script."""

    value: T


@dataclass(frozen=True, slots=True)
class Ended(Generic[T]):
    """The script returned; not an effect."""

    value: T


Effect: TypeAlias = Send | Open | Read | Pause | Now | GetPolicy | Emit[Any]
Script: TypeAlias = Generator[Effect, Any, T]
"""Returns a value at its end."""
Series: TypeAlias = Generator[Send | Open | Read | Pause | Now | GetPolicy | Emit[T], Any, None]
"""Emits values one by one."""


def now() -> Script[float]:
    """Return the monotonic time in seconds."""
    time: float = yield Now()
    return time


def policy() -> Script[RetryPolicy]:
    """Return the client's policy of retries."""
    given: RetryPolicy = yield GetPolicy()
    return given
