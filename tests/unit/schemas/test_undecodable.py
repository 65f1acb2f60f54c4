"""Records that are not events are named as such."""

import contextlib
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic_core import from_json, to_json

from schemas.envelope import UndecodableRecordError, UnknownEventError, decode, encode
from schemas.events import EVENTS, MAX_DELAY_S, JobRetryScheduled
from tests.support.histories.jobs import fact
from tests.support.histories.records import APPENDED, BODY, tampered, texts


@pytest.mark.parametrize(
    ("header", "value", "reason"),
    [
        ("ce_type", b"com.example.Order.v1", "not an event of Piperoll"),
        ("ce_type", b"piperoll.JobCancelled", "has no version"),
        ("ce_type", b"piperoll.JobCancelled.vx", "has no version"),
        ("ce_type", b"piperoll.JobCancelled.v0", "has no version"),
        ("ce_type", b"piperoll.JobCancelled.v" + b"9" * 5000, "has no version"),
        ("ce_type", None, "the header ce_type is missing"),
        ("ce_owner", None, "the header ce_owner is missing"),
        ("ce_subject", b"\xff\xfe", "utf-8"),
        ("ce_time", b"yesterday", "isoformat"),
        ("ce_time", b"2026-01-01T00:00:00", "no time zone"),
        ("ce_time", b"0001-01-01T00:00:00+23:59", "not between 1970 and 2200"),
        ("ce_time", b"9999-12-31T23:59:59-23:59", "not between 1970 and 2200"),
        ("ce_time", b"2200-01-01T00:00:00Z", "not between 1970 and 2200"),
        ("ce_id", b"", "the header ce_id is empty"),
        ("ce_id", b"x" * 256, "more than 255 bytes"),
        ("ce_owner", b"", "the header ce_owner is empty"),
        ("ce_owner", b"ac\x00me", "control characters"),
        ("ce_subject", b"", "the header ce_subject is empty"),
        ("ce_subject", b"..", "not an id"),
        ("ce_subject", b"job-a/../job-b", "not an id"),
        ("ce_subject", b"job\n", "control characters"),
        ("ce_subject", b"\xc3\xa4" * 128, "more than 255 bytes"),
    ],
)
def test_a_bad_header_is_named(header: str, value: bytes | None, reason: str) -> None:
    with pytest.raises(UndecodableRecordError, match=reason):
        decode(b'{"by": "acme"}', tampered(header, value), APPENDED)


@pytest.mark.parametrize("name", ["ce_id", "ce_type", "ce_subject", "ce_owner", "ce_time", "ce_source"])
def test_a_missing_header_is_named(name: str) -> None:
    _, value, headers = encode(fact("job-a", BODY))
    with pytest.raises(UndecodableRecordError, match=f"the header {name} is missing"):
        decode(value, [pair for pair in headers if pair[0] != name], APPENDED)


@pytest.mark.parametrize("value", [None, b"", b"{", b"[]", b"null", b'{"by": 1}', b"{}", b"[" * 10_000, b"\xff"])
def test_a_body_that_is_not_the_events_is_undecodable(value: bytes | None) -> None:
    with pytest.raises(UndecodableRecordError):
        decode(value, tampered("ce_id", b"1"), APPENDED)


@pytest.mark.parametrize("delay", ["Infinity", "NaN", "1e300", "-1", str(MAX_DELAY_S + 1)])
def test_a_retry_at_a_time_that_there_is_not_is_undecodable(delay: str) -> None:
    """The fold adds it to a time: what it accepts, it must be able to compute."""
    body = f'{{"run": "r", "error_code": "TIMEOUT", "delay_s": {delay}}}'.encode()
    with pytest.raises(UndecodableRecordError):
        decode(body, tampered("ce_type", JobRetryScheduled.type_name().encode()), APPENDED)


header_names = st.sampled_from([name for name, _ in encode(fact("job-a", BODY))[2]]) | st.text(max_size=10)

type_names = st.builds(
    "piperoll.{}.v{}".format, st.sampled_from([*EVENTS, "Nothing"]), st.integers(-1, 3) | st.text(max_size=3)
)

header_values = st.none() | st.binary(max_size=40) | st.one_of(texts, type_names).map(str.encode)

bodies = (
    st.none()
    | st.binary(max_size=80)
    | st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | texts,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
        max_leaves=5,
    ).map(to_json)
)


@given(bodies, st.lists(st.tuples(header_names, header_values), max_size=6), st.booleans())
@example(None, [], False)
def test_nothing_that_a_record_can_hold_raises_anything_else(
    value: bytes | None, headers: list[tuple[str, Any]], beside_good_ones: bool
) -> None:
    good = encode(fact("job-a", BODY))[2] if beside_good_ones else []
    with contextlib.suppress(UndecodableRecordError, UnknownEventError):
        decode(value, [*good, *headers], APPENDED)


@given(st.sampled_from(sorted(EVENTS)), st.data())
def test_no_change_of_one_field_raises_anything_else(name: str, data: st.DataObject) -> None:
    event = data.draw(st.builds(EVENTS[name]))
    _, value, headers = encode(fact("job-a", event))
    body = from_json(value)
    field = data.draw(st.sampled_from(sorted(EVENTS[name].model_fields)))
    body[field] = data.draw(st.none() | st.booleans() | st.floats() | st.integers() | texts | st.lists(st.integers()))
    with contextlib.suppress(UndecodableRecordError):
        decode(to_json(body), headers, APPENDED)
