"""Server-sent events, in any pieces, and streams that go on after a cut."""

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from piperoll.client.errors import RefusedError, UnreachableError
from piperoll.client.policy import RetryPolicy
from piperoll.client.scripts.streams import stream_job, stream_owner
from piperoll.client.sse import EventParser, ServerEvent
from piperoll.client.wire import TransportFault
from services.api.jobs.stream import HEARTBEAT, sse_event
from tests.support.clients.played import error, play, reply

CUT = TransportFault("cut")
OPEN = reply(200)
END = b""
texts = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\r\n\x00"), max_size=20)


def progress(event_id: int, percent: int) -> bytes:
    return sse_event("progress", {"phase": "running", "data": {"progress": percent}}, str(event_id))


DONE = sse_event("completed", {"phase": "completed", "data": {"extracted_text": "a"}}, "9")
TIMEOUT = sse_event("timeout", {"phase": "timeout"})


@given(
    sent=st.lists(st.tuples(texts.filter(lambda name: bool(name.strip()) and ":" not in name), texts), max_size=5),
    cuts=st.lists(st.integers(0, 200), max_size=10),
)
def test_what_the_api_writes_is_read_in_any_pieces(sent: list[tuple[str, str]], cuts: list[int]) -> None:
    names = [name.strip() for name, _ in sent]
    content = b"".join(sse_event(name, {"v": value}, str(i)) + HEARTBEAT for i, (name, (_, value)) in
                       enumerate(zip(names, sent, strict=True)))  # fmt: skip
    places = sorted({0, len(content), *(cut for cut in cuts if cut < len(content))})
    parser = EventParser()

    events = [one for a, b in pairwise(places) for one in parser.feed(content[a:b])]

    assert [one.name for one in events] == names
    assert [json.loads(one.data)["v"] for one in events] == [value for _, value in sent]
    assert [one.event_id for one in events] == [str(number) for number in range(len(sent))]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_all_ends_of_lines_are_understood(end: str) -> None:
    content = f"\ufeffid: 4{end}event: x{end}data: one{end}data:two{end}: comment{end}{end}data: y{end}{end}".encode()
    parser = EventParser()

    events = [one for byte in content for one in parser.feed(bytes([byte]))] + parser.feed(b"\n")

    assert events == [ServerEvent("x", "one\ntwo", "4"), ServerEvent("message", "y", "4")]


def test_a_stream_goes_on_after_a_cut_and_after_its_time() -> None:
    played = play(
        stream_job("job-1"),
        [OPEN, progress(1, 10), CUT, OPEN, progress(2, 20)[:9], END, OPEN, progress(2, 20), TIMEOUT, OPEN, DONE],
    )

    assert [event.percent for event in played.emitted] == [10, 20, None]
    assert played.emitted[-1].ended
    assert [one.headers.get("Last-Event-ID") for one in played.requests] == [None, "1", "1", "2"]


def test_an_event_that_was_cut_in_half_is_asked_for_again() -> None:
    half = progress(5, 50).replace(b"\n\n", b"\n")

    played = play(stream_job("job-1", after="3"), [OPEN, half, CUT, OPEN, progress(5, 50), DONE])

    assert [one.headers["Last-Event-ID"] for one in played.requests] == ["3", "3"]
    assert [event.event_id for event in played.emitted] == ["5", "9"]


def test_a_stream_of_which_all_is_known_is_empty() -> None:
    assert play(stream_job("job-1", after="9"), [reply(204)]).emitted == []


def test_a_stream_that_only_breaks_is_given_up() -> None:
    rules = RetryPolicy(retry_for_s=5, base_s=1, draw=lambda: 1.0)

    with pytest.raises(UnreachableError, match="cut"):
        play(stream_job("job-1"), [OPEN, CUT] * 10, rules)


def test_a_stream_of_an_unknown_job_is_an_error() -> None:
    with pytest.raises(RefusedError, match="NOT_FOUND"):
        play(stream_job("job-1"), [error(404, "NOT_FOUND")])


def test_the_stream_of_an_owner_has_jobs_and_batches_and_resumes_behind_its_end() -> None:
    job = {"job_id": "job-1", "job_type": "pdf", "status": "processing", "created_at": "2026-01-01T00:00:00Z"}
    batch = {"batch_id": "batch-1", "status": "processing", "job_count": 2, "completed_count": 1}
    named = [("open", {"resumed": False}), ("batch", batch), ("job", job), ("end", {})]
    pieces = [sse_event(name, data, f"a.{place}") for place, (name, data) in enumerate(named, start=1)]

    played = play(stream_owner(job_type="pdf"), [OPEN, *pieces, reply(204)])

    assert [event.name for event in played.emitted] == ["open", "batch", "job"]
    assert played.emitted[1].batch.completed_count == 1
    assert played.emitted[2].job.status == "processing"
    assert played.requests[0].query == {"job_type": "pdf"}
    assert played.requests[1].headers == {"Last-Event-ID": "a.4"}
