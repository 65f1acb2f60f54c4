"""How a document is divided into chunks by heading and tokens, for every document and every size."""

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from piperoll.embeddings.pieces import Piece, heading, of_blocks, of_markdown, of_text
from piperoll.embeddings.token_chunks import PlacedChunk, _Section, chunked
from piperoll.embeddings.tokens import token_starts
from schemas.blocks import Block, BlockKind, Cell, Span, block

TEXTS = st.text(alphabet=st.sampled_from("abä.!?…。 \n\t-"), max_size=400) | st.text(max_size=200)
SIZES = st.integers(min_value=2, max_value=40)
PIECES = st.lists(
    st.builds(
        lambda text, level: Piece(text, level, text if level else ""),
        TEXTS.filter(str.strip),
        st.sampled_from([0, 0, 0, 1, 2, 3]),
    ),
    max_size=8,
)


def words_start(text: str) -> list[int]:
    """A tokenizer whose tokens are runs without white space, at most three characters each."""
    return [found.start() for found in re.finditer(r"\S{1,3}", text)]


def characters(text: str) -> str:
    return "".join(text.split())


@given(PIECES, SIZES)
def test_without_overlap_every_character_stands_once_in_its_order(pieces: list[Piece], size: int) -> None:
    found = chunked(pieces, size, 0, words_start)
    assert characters("".join(chunk.text for chunk in found)) == characters("".join(piece.text for piece in pieces))


@given(PIECES, SIZES)
def test_no_chunk_exceeds_the_size_and_none_is_blank(pieces: list[Piece], size: int) -> None:
    for chunk in chunked(pieces, size, size // 2, words_start):
        assert chunk.text.strip() == chunk.text != ""
        assert chunk.tokens <= size


class Counted(list[tuple[int, int, Piece]]):
    """Pieces of a section that count how often one is looked at."""

    looks = 0

    def __getitem__(self, index: Any) -> Any:
        found = super().__getitem__(index)
        self.looks += len(found) if isinstance(index, slice) else 1
        return found

    def __iter__(self) -> Iterator[tuple[int, int, Piece]]:
        for one in super().__iter__():
            self.looks += 1
            yield one


def test_a_chunk_looks_at_few_pieces_of_a_long_section() -> None:
    placed = Counted((number * 4, number * 4 + 2, Piece("aa", page=number)) for number in range(10_000))
    section = _Section((), "aa\n\n" * 10_000, placed)  # type: ignore[arg-type]
    chunk = section.chunk(20_000, 20_010, 3)
    assert (chunk.page, chunk.last_page) == (5000, 5002)
    assert placed.looks < 100


class Looked(Piece):
    """A heading that counts how often its level is looked at."""

    looks = 0

    def __getattribute__(self, name: str) -> Any:
        if name == "level":
            Looked.looks += 1
        return super().__getattribute__(name)


def test_headings_without_text_between_them_are_looked_at_a_few_times_each() -> None:
    (chunk,) = chunked([Looked("a", 1, "a") for _ in range(200)], 1000, 0, words_start)
    assert chunk.tokens == 200
    assert Looked.looks < 200 * 10


@given(TEXTS.filter(str.strip), SIZES)
def test_a_chunk_repeats_the_end_of_the_one_before_it_and_no_more_than_the_overlap(text: str, size: int) -> None:
    overlap = size // 2
    found = list(chunked([Piece(text)], size, overlap, words_start))
    plain = characters(text)
    covered = 0
    for before, after in pairwise([PlacedChunk("", 0), *found]):
        written = characters(after.text)
        repeated = next(count for count in range(covered, -1, -1) if plain.startswith(written, covered - count))
        assert repeated <= 3 * overlap
        assert repeated < max(len(written), 1)
        covered += len(written) - repeated
        assert before.tokens <= size
    assert covered == len(plain)


@given(PIECES, SIZES)
def test_no_chunk_crosses_a_heading_that_follows_text(pieces: list[Piece], size: int) -> None:
    begun = sum(bool(after.level and not before.level) for before, after in pairwise(pieces))
    assert len(list(chunked(pieces, size, 0, words_start))) >= begun + bool(pieces)


@pytest.mark.parametrize(("size", "overlap"), [(1, 0), (10, 6), (10, -1)])
def test_a_size_that_makes_no_progress_is_refused(size: int, overlap: int) -> None:
    with pytest.raises(ValueError, match="tokens"):
        list(chunked([Piece("a")], size, overlap, words_start))


def test_a_chunk_has_the_path_of_its_headings() -> None:
    text = "# Pumps\n\nAll of them.\n\n## Valves\n\n### Small\n\nTen years.\n\n## Pipes\n\nCopper.\n\n# End\n\nDone."
    found = list(chunked(of_markdown(text), 50, 0, words_start))
    assert [chunk.headings for chunk in found] == [
        ("Pumps",),
        ("Pumps", "Valves", "Small"),
        ("Pumps", "Pipes"),
        ("End",),
    ]
    assert found[1].text == "## Valves\n\n### Small\n\nTen years."


def test_a_chunk_ends_with_a_paragraph_or_else_a_sentence() -> None:
    text = "one two three four.\n\nfive six. seven eight nine ten"
    found = list(chunked(of_text(text), 8, 0, lambda text: [one.start() for one in re.finditer(r"\S+", text)]))
    assert [chunk.text for chunk in found] == ["one two three four.\n\nfive six.", "seven eight nine ten"]


def test_a_chunk_has_its_pages_and_the_box_around_what_it_has_on_the_first() -> None:
    blocks = [
        Block(BlockKind.PARAGRAPH, (Span("aa bb"),), page=1, bbox=(10, 10, 50, 20)),
        Block(BlockKind.PARAGRAPH, (Span("cc"),), page=1, bbox=(5, 30, 40, 40)),
        Block(BlockKind.PARAGRAPH, (Span("dd"),), page=2, bbox=(1, 1, 2, 2)),
    ]
    (whole,) = chunked(of_blocks(blocks), 40, 0, words_start)
    assert (whole.page, whole.last_page, whole.bbox) == (1, 2, (5, 10, 50, 40))
    first, second = chunked(of_blocks(blocks), 3, 0, words_start)
    assert (first.bbox, second.page, second.bbox) == ((5, 10, 50, 40), 2, (1, 1, 2, 2))


def test_a_box_is_left_out_if_a_part_of_the_page_has_none() -> None:
    blocks = [
        Block(BlockKind.PARAGRAPH, (Span("aa"),), page=1, bbox=(1, 1, 2, 2)),
        block(BlockKind.PARAGRAPH, "bb", page=1),
    ]
    assert next(chunked(of_blocks(blocks), 40, 0, words_start)).bbox is None


def test_items_keep_their_markers_tables_their_rows_and_a_running_header_stands_once() -> None:
    row = (Cell((Span("Valve"),)), Cell((Span("3"),)))
    blocks = [
        block(BlockKind.PAGE_HEADER, "ACME"),
        block(BlockKind.LIST_ITEM, "first", 1, marker="1."),
        block(BlockKind.LIST_ITEM, "second", 1, marker="2."),
        Block(BlockKind.TABLE, rows=(row,)),
        block(BlockKind.PAGE_HEADER, "ACME"),
    ]
    (chunk,) = chunked(of_blocks(blocks), 40, 0, words_start)
    assert chunk.text == "ACME\n\n1. first\n2. second\n\nValve\t3"


def test_a_line_of_code_is_no_heading() -> None:
    text = "# One\n\n```sh\n# comment\n\nmake\n```\n\n#hashtag\n\n## Two ##\n"
    assert [(piece.level, piece.title) for piece in of_markdown(text) if piece.level] == [(1, "One"), (2, "Two")]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("#", (1, "")),
        ("## ##", (2, "")),
        ("   ### a\t", (3, "a")),
        ("# a ##  ", (1, "a")),
        ("# a##", (1, "a##")),
        ("#\ta # b", (1, "a # b")),
        ("#a", None),
        ("####### a", None),
        ("    # a", None),
    ],
)
def test_a_heading_has_its_level_and_its_text_without_marks(line: str, expected: tuple[int, str] | None) -> None:
    assert heading(line) == expected


def test_a_line_of_many_spaces_is_searched_by_no_pattern_that_starts_at_each_of_them() -> None:
    line = "# a" + " " * 500_000 + "b"  # minutes with a pattern that does
    assert heading(line) == (1, line[2:])


@given(TEXTS)
def test_pieces_have_every_character_of_a_text(text: str) -> None:
    for pieces in (of_markdown(text), of_text(text)):
        assert characters("".join(piece.text for piece in pieces)) == characters(text)


@given(TEXTS)
def test_tokens_begin_within_the_text_and_each_at_its_own_place(text: str) -> None:
    starts = token_starts(text)
    assert starts == sorted(set(starts))
    assert all(0 <= start < len(text) for start in starts)


def test_a_long_word_counts_as_many_tokens() -> None:
    assert len(token_starts("heat pump")) == 2
    assert len(token_starts("x" * 4000)) == 1000
    (whole, *_) = chunked([Piece("x" * 4000)], 100, 0, token_starts)
    assert len(whole.text) == 400
