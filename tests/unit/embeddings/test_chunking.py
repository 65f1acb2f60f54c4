"""How a text is cut into chunks, for every text and every size."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from piperoll.embeddings.chunking import OVERLAP, chunks, spans

TEXTS = st.text(alphabet=st.sampled_from("abcä.!?…。 \n\t\"'x"), max_size=600) | st.text(max_size=300)
SIZES = st.integers(min_value=1, max_value=120)


@given(TEXTS, SIZES)
def test_nothing_is_lost_but_white_space_and_all_keeps_its_order(text, size):
    covered = 0
    for start, end in spans(text, size):
        assert text[covered:start].strip() == ""
        assert end > covered
        covered = end
    assert text[covered:].strip() == ""


@given(TEXTS, SIZES)
def test_no_chunk_is_longer_than_the_size_or_blank(text, size):
    assert all(0 < len(chunk) <= size and chunk == chunk.strip() for chunk in chunks(text, size))


@given(TEXTS, SIZES)
def test_a_chunk_repeats_little_of_the_one_before_it(text, size):
    found = list(spans(text, size))
    for (start, end), (following, _) in pairwise(found):
        assert following > start
        assert end - following <= size // OVERLAP


def test_a_short_text_is_one_chunk_and_an_empty_one_none():
    assert chunks("  One sentence. ", 50) == ["One sentence."]
    assert chunks("", 50) == chunks(" \n\n\t", 50) == []


def test_cuts_are_made_at_paragraphs_before_sentences_before_lines_before_words():
    assert chunks("One two three.\n\nFour five. Six seven eight", 30) == [
        "One two three.",
        "Four five. Six seven eight",
    ]
    assert chunks("One two. Three four.\nFive six seven eight nine", 30) == [
        "One two. Three four.",
        "Five six seven eight nine",
    ]
    assert chunks("one two three four\nfive six seven eight", 30)[0] == "one two three four"
    assert chunks("one two three four five six", 20) == ["one two three four", "five six"]


def test_a_sentence_ends_with_its_quotation_mark_and_not_within_a_number():
    assert chunks('He said: "Pay 3.50 now." Then he went', 30)[0] == 'He said: "Pay 3.50 now."'
    assert (
        chunks("\u4eca\u5929\u5929\u6c14\u5f88\u597d\u3002\u6211\u4eec\u53bb\u516c\u56ed", 8)[0]
        == "\u4eca\u5929\u5929\u6c14\u5f88\u597d\u3002"
    )


def test_a_long_word_is_cut_where_it_must_be():
    assert chunks("x" * 25, 10) == ["x" * 10, "x" * 10, "x" * 5]


def test_what_stands_across_a_cut_stands_whole_in_the_next_chunk():
    words = " ".join(f"word{number:04d}" for number in range(100))
    first, second, *_ = chunks(words, 200)
    assert second.startswith(first[-17:])
    assert set(words.split()) == {word for chunk in chunks(words, 200) for word in chunk.split()}


def test_a_size_below_one_is_refused():
    with pytest.raises(ValueError, match="at least 1"):
        chunks("text", 0)


def test_a_long_text_takes_time_in_proportion():
    assert len(chunks("A sentence of some words. " * 40_000, 1000)) > 1000
