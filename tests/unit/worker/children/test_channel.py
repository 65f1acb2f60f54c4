"""The line between a child and its sandboxes."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.worker.children.channel import Channel, ChannelClosedError
from services.worker.children.errands import Answer

Ends = tuple[socket.socket, socket.socket]


@pytest.fixture
def ends() -> Iterator[Ends]:
    """The ends of the child and of the sandbox."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def test_messages_that_arrive_together_keep_their_payloads_and_files(ends: Ends, tmp_path: Path) -> None:
    ours, theirs = map(Channel, ends)
    (tmp_path / "a").write_bytes(b"of the third")
    descriptor = os.open(tmp_path / "a", os.O_RDONLY)
    theirs.send(Answer(text="first"))
    theirs.send(Answer(text="second"), b"payload")
    theirs.send(Answer(text="third"), file=descriptor)
    theirs.send(Answer(text="fourth"))
    os.close(descriptor)
    found = [ours.receive(takes_files=True) for _ in range(4)]
    texts = [Answer.model_validate_json(one.message).text for one in found]
    assert texts == ["first", "second", "third", "fourth"]
    assert [one.payload for one in found] == [b"", b"payload", b"", b""]
    assert [one.file is not None for one in found] == [False, False, True, False]
    assert os.read(found[2].file or 0, 100) == b"of the third"
    found[2].close()


def test_files_without_a_message_are_refused(ends: Ends) -> None:
    channel = Channel(ends[0])
    reading, writing = os.pipe()
    for _ in range(9):
        socket.send_fds(ends[1], [b"x"], [reading])
    with pytest.raises(ValueError, match="without a message"):
        channel.receive(takes_files=True)
    os.close(reading)
    os.close(writing)


def test_a_line_that_was_closed_is_an_error(ends: Ends) -> None:
    ends[1].close()
    with pytest.raises(ChannelClosedError):
        Channel(ends[0]).receive()


@pytest.mark.parametrize("content", [b"", b"x" * 1_000_000])
def test_a_process_that_ended_is_noticed_by_each_call(ends: Ends, content: bytes) -> None:
    """Else a run would be charged with an error of its own, in the moment before the kernel reports the end."""
    ours, theirs = ends
    Channel(ours).send(Answer())
    theirs.close()  # with a message that it did not read
    for call in (
        lambda: Channel(ours).receive(takes_files=True),
        lambda: Channel(ours).send(Answer(), content),
        lambda: Channel(ours).send(Answer(), file=0),
        lambda: Channel(ours).receive(),
    ):
        with pytest.raises(ChannelClosedError):
            call()
