"""Byte ranges: the requested part, the whole file for an invalid range, a refusal for one outside the file."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.api.outputs.ranges import UnsatisfiableRangeError, requested_range


@pytest.mark.parametrize(
    ("header", "part"),
    [
        ("bytes=0-0", (0, 1)),
        ("bytes=2-", (2, 10)),
        ("bytes=-3", (7, 10)),
        ("bytes=-99", (0, 10)),
        ("bytes=8-99", (8, 10)),
        ("Bytes=0-9", (0, 10)),
        (None, None),
        ("", None),
        ("bytes=-", None),
        ("bytes=5-2", None),
        ("bytes=0-1,3-4", None),
        ("items=0-1", None),
        ("bytes=a-b", None),
        ("bytes=0-" + "9" * 5000, None),
        ("bytes=²-", None),
    ],
)
def test_a_range_header_selects_a_part(header: str | None, part: tuple[int, int] | None) -> None:
    assert requested_range(header, 10) == part


@pytest.mark.parametrize(
    ("header", "size"), [("bytes=10-", 10), ("bytes=99-100", 10), ("bytes=-0", 10), ("bytes=0-", 0)]
)
def test_a_range_beyond_the_end_is_refused(header: str, size: int) -> None:
    with pytest.raises(UnsatisfiableRangeError):
        requested_range(header, size)


@given(st.integers(0, 30), st.text(max_size=12).map(lambda tail: f"bytes={tail}") | st.text(max_size=12))
def test_any_header_gives_a_part_the_whole_or_a_refusal(size: int, header: str) -> None:
    try:
        part = requested_range(header, size)
    except UnsatisfiableRangeError:
        return
    if part is not None:
        assert 0 <= part[0] < part[1] <= size
