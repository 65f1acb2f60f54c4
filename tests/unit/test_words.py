"""How texts are split into the words by which jobs are found."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from piperoll.domain.words import LONGEST, MOST_ASKED, asked_words, distinct_words, words_of


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Rechnung_2024-03 (Müller).PDF", ["rechnung", "2024", "03", "muller", "pdf"]),
        ("job-7e01af8d-8cc1", ["job", "7e01af8d", "8cc1"]),
        ("Straße & Co", ["strasse", "co"]),
        ("\ufb01nal", ["final"]),
        ("発票 A1", ["発", "票", "a1"]),
        ("<script>alert('x')</script>", ["script", "alert", "x", "script"]),
        ("שלום \u202eevil", ["שלום", "evil"]),
        ("… -- !", []),
    ],
)
def test_a_text_is_split_into_words_without_case_and_accents(text: str, words: list[str]) -> None:
    assert list(words_of(text)) == words


@given(st.text())
def test_a_search_for_a_text_has_no_sign_that_postgres_would_read_as_an_operator(text: str) -> None:
    for part in asked_words(text).split(" & "):
        assert part == "" or (part.endswith(":*") and part[:-2].isalnum())


@given(st.text(max_size=40))
def test_a_text_is_found_by_itself(text: str) -> None:
    assert set(distinct_words([text], MOST_ASKED)) <= set(words_of(text))


def test_words_and_searches_have_bounds() -> None:
    assert list(words_of("x" * 10_000)) == ["x" * LONGEST]
    assert asked_words("x" * 10_000) == "x" * LONGEST + ":*"
    assert len(asked_words(" ".join(f"w{number}" for number in range(99))).split(" & ")) == MOST_ASKED
    assert distinct_words(["a b a", "c d"], 3) == ["a", "b", "c"]
