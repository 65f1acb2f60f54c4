"""The Retry-After header of other servers: seconds, dates, and junk that is ignored."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from piperoll.webhooks.retry_after import retry_after_s

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0),
        (" 120 ", 120.0),
        ("0", 0.0),
        ("Sun, 22 Nov 2026 12:00:30 GMT", 30.0),
        ("Sun, 22 Nov 2026 11:00:00 GMT", 0.0),
        ("Sun, 22 Nov 2026 12:00:30", 30.0),
        ("-3", None),
        ("1.5", None),
        ("soon", None),
        ("", None),
        (None, None),
        ("٣", None),
        ("Wed, 21 Oct 2015 07:28:00 +" + "9" * 30, None),
        ("1 Jan 2026 " + "9" * 30 + ":0:0 GMT", None),
        ("Mon, 1 Jan 99999 00:00:00 +9999", None),
    ],
)
def test_a_wait_is_understood_or_ignored(header: str | None, seconds: float | None) -> None:
    assert retry_after_s(header, NOW) == seconds


numbers = st.one_of(st.integers(0, 99), st.integers(0, 10**40)).map(str)
dates = st.builds(
    "{} {} {} {}:{}:{} {}".format,
    numbers,
    st.sampled_from(["Jan", "Feb", "Dec"]),
    numbers,
    numbers,
    numbers,
    numbers,
    st.one_of(st.just("GMT"), st.builds("{}{}".format, st.sampled_from("+-"), numbers)),
)


@given(st.one_of(st.text(max_size=60), dates))
def test_no_header_is_too_strange(header: str) -> None:
    wait = retry_after_s(header, NOW)
    assert wait is None or wait >= 0
