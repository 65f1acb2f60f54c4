"""The error rate of OCR: edits for each character that was drawn."""

import pytest

from bench.parts.ocr_errors import error_rate


@pytest.mark.parametrize(
    ("drawn", "read", "rate"),
    [
        ("Köln", "Köln", 0),
        ("Köln", "Koln", 0.25),
        ("two\nlines", "two  lines", 0),
        ("abcd", "", 1),
        ("abcd", "abcdabcd", 1),
    ],
)
def test_the_rate_counts_what_is_wrong_missing_or_too_much(drawn: str, read: str, rate: float) -> None:
    assert error_rate(drawn, read) == pytest.approx(rate)
