"""The net: words of a source by place against the words that were read."""

from hypothesis import given
from hypothesis import strategies as st

from schemas.blocks import Block, BlockKind, Cell, Span, block
from services.worker.blocks.net import Missing, block_texts, missing, warnings

WORDS = st.text("abcdefgh", min_size=1, max_size=4)


def test_words_that_were_not_read_are_named_with_their_place() -> None:
    found = missing([("in the body", "Dear Sir"), ("in a header", "Acme Ltd, VAT 123")], ["Dear Sir: vat"])
    assert found == [Missing("in a header", 3, ("acme", "ltd", "123"))]
    assert warnings(found) == ["3 words are missing in the text, in a header: acme, ltd, 123."]


def test_a_word_that_is_read_once_does_not_stand_for_two_places() -> None:
    sources = [("in the body", "Acme"), ("in a header", "Acme")]
    assert missing(sources, ["Acme"]) == [Missing("in a header", 1, ("acme",))]
    assert missing(sources, ["Acme ACME"]) == []


def test_words_that_were_joined_or_divided_are_not_missing() -> None:
    assert missing([("in the body", "word 1 東京 に行き fineprint")], ["word1 東京に行き fine-print"]) == []


def test_all_text_of_blocks_counts_as_read() -> None:
    blocks = [
        block(BlockKind.LIST_ITEM, "item", 1, marker="§4"),
        Block(BlockKind.TABLE, rows=((Cell((Span("one"),)), Cell((Span("two"),))),)),
        block(BlockKind.PAGE_HEADER, "letterhead"),
    ]
    assert missing([("in the body", "4 item one two letterhead")], block_texts(blocks)) == []


PLACED = st.lists(st.tuples(st.sampled_from(["here", "there"]), WORDS), unique_by=lambda pair: pair[1])


@given(PLACED, st.integers(0, 9))
def test_each_lost_word_counts_once(sources: list[tuple[str, str]], lost: int) -> None:
    found = missing(sources, [word for _, word in sources[lost:]])
    assert sum(one.count for one in found) == min(lost, len(sources))


def test_many_places_share_one_warning() -> None:
    found = missing([(f"on page {number}", "lost again") for number in range(14)], [])
    assert len(found) == 14
    assert warnings(found)[-1] == "8 words are missing in 4 further places."


def test_a_long_text_that_is_lost_is_counted() -> None:
    lost = " ".join(f"a{number}" for number in range(200_000))
    assert missing([("in the body", lost)], ["ab" * 500_000])[0].count == 200_000
