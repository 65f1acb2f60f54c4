"""Blocks as Markdown, read again by a parser of CommonMark that is not the product's."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from schemas.blocks import Block, BlockKind, Cell, Span, block
from services.worker.blocks.markdown import markdown, table

PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])

MARKS = ["1.", "2)", "---", "***", "```", "&amp;", "&#65;", "<b>", "<!--", "http://x.y/z", "![", "]("]
PIECES = st.sampled_from(
    ["a", "B7", "ü", "東京", " ", "  ", "\n", "\t", "\u00a0", "\u2028", *"\\`*_{}[]()#+-.!|<>&~:=/\"'^$%@", *MARKS]
)
TEXTS = st.lists(PIECES, max_size=12).map("".join)
SPANS = st.lists(
    st.builds(
        Span,
        TEXTS,
        st.booleans(),
        st.booleans(),
        st.booleans(),
        st.booleans(),
        st.sampled_from(["", "", "http://a.example/b c(d)?e=[f]|g", "javascript:alert(1)"]),
    ),
    max_size=4,
).map(tuple)
CELLS = st.builds(Cell, SPANS)
TABLES = st.integers(1, 4).flatmap(
    lambda width: st.lists(st.lists(CELLS, min_size=width, max_size=width).map(tuple), min_size=1, max_size=4)
)
BLOCKS = st.one_of(
    st.builds(Block, st.just(BlockKind.HEADING), SPANS, st.integers(1, 6)),
    st.builds(
        Block, st.sampled_from([BlockKind.PARAGRAPH, BlockKind.CAPTION, BlockKind.QUOTE, BlockKind.PICTURE]), SPANS
    ),
    st.builds(
        Block,
        st.just(BlockKind.LIST_ITEM),
        SPANS,
        st.integers(1, 4),
        st.sampled_from(["-", "•", "", "1.", "2.", "17)", "a)", "1.2.3", "§ 4", "(ii)"]),
    ),
    st.builds(Block, st.just(BlockKind.CODE), SPANS, st.just(0), st.sampled_from(["", "python", "a b`c"])),
    st.builds(Block, st.just(BlockKind.TABLE), rows=TABLES.map(tuple)),
)


def read(source: str) -> list[Token]:
    return PARSER.parse(source)


def shown(tokens: list[Token]) -> str:
    """What a reader of the page sees of it."""
    texts = []
    for token in tokens:
        if token.type in ("fence", "code_block"):
            texts.append(token.content)
        for part in token.children or []:
            texts.append({"softbreak": "\n", "hardbreak": "\n"}.get(part.type, part.content))
        texts.append("\n")
    return "".join(texts)


def words(text: str) -> list[str]:
    return text.split()


def of_source(one: Block) -> list[str]:
    """The words of a block as its author wrote them, with the marker that Markdown has no sign for."""
    if one.kind is BlockKind.TABLE:
        return [word for row in one.rows for cell in row for word in words(cell.text)]
    labelled = one.kind is BlockKind.LIST_ITEM and one.marker in ("a)", "1.2.3", "§ 4", "(ii)")
    return [*(words(one.marker) if labelled else []), *words(one.text)]


@given(st.lists(BLOCKS, max_size=6))
def test_a_reader_of_the_markdown_sees_the_words_of_the_blocks(blocks: list[Block]) -> None:
    assert words(shown(read(markdown(blocks)))) == [word for one in blocks for word in of_source(one)]


@given(st.lists(BLOCKS, max_size=6))
def test_headings_keep_their_levels(blocks: list[Block]) -> None:
    levels = [int(token.tag[1]) for token in read(markdown(blocks)) if token.type == "heading_open"]
    assert levels == [one.level for one in blocks if one.kind is BlockKind.HEADING and words(one.text)]


@given(st.lists(BLOCKS, max_size=6))
def test_tables_keep_their_shape_and_each_cell_its_words(blocks: list[Block]) -> None:
    found: list[list[list[list[str]]]] = []
    tokens = read(markdown(blocks))
    for number, token in enumerate(tokens):
        if token.type == "table_open":
            found.append([])
        elif token.type == "tr_open":
            found[-1].append([])
        elif token.type in ("td_open", "th_open"):
            found[-1][-1].append(words(shown(tokens[number + 1 : number + 2])))
    tables = [one.rows for one in blocks if one.kind is BlockKind.TABLE and words(one.text)]
    assert found == [[[words(cell.text) for cell in row] for row in rows] for rows in tables]


@given(st.lists(st.builds(Block, st.just(BlockKind.CODE), SPANS), max_size=3))
def test_code_is_kept_to_the_character(blocks: list[Block]) -> None:
    codes = [token.content.rstrip("\n") for token in read(markdown(blocks)) if token.type == "fence"]
    kept = ["\n".join(line.rstrip() for line in one.text.splitlines()).strip("\n") for one in blocks]
    assert codes == [code for code in kept if code]


@given(st.lists(st.integers(1, 4), min_size=1, max_size=8))
def test_items_stand_as_deep_as_they_were(levels: list[int]) -> None:
    items = [block(BlockKind.LIST_ITEM, f"item{number}", level, marker="-") for number, level in enumerate(levels)]
    depth, depths = 0, []
    for token in read(markdown(items)):
        depth += {"bullet_list_open": 1, "bullet_list_close": -1}.get(token.type, 0)
        if token.type == "inline":
            depths.append(depth)
    above: list[int] = []
    for level, found in zip(levels, depths, strict=True):
        above = [one for one in above if one < level] + [level]
        assert found == len(above)


@pytest.mark.parametrize(
    ("spans", "expected"),
    [
        ((Span("bold", bold=True), Span(" and "), Span("not", italic=True)), "**bold** and *not*"),
        ((Span("both ", bold=True, italic=True), Span("x")), "***both*** x"),
        ((Span("gone", strike=True),), "~~gone~~"),
        ((Span("a`b", code=True),), "``a`b``"),
        ((Span("a", code=True), Span("b", code=True, italic=True)), "`a`*b*"),
        ((Span("here", link="https://example.com/a"),), "[here](https://example.com/a)"),
        ((Span("no", link="javascript:alert(1)"),), "no"),
        ((Span("Wow!"), Span("here", link="/a")), "Wow\\![here](/a)"),
        ((Span("snake_case *stars* 3 < 4 & 5"),), "snake_case \\*stars\\* 3 < 4 & 5"),
    ],
)
def test_styles_become_marks(spans: tuple[Span, ...], expected: str) -> None:
    assert markdown([Block(BlockKind.PARAGRAPH, spans)]) == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [("- a", "\\- a"), ("2019. Was", "2019\\. Was"), ("# a", "\\# a"), ("===", "\\==="), ("-5 °C", "-5 °C")],
)
def test_text_that_begins_like_a_mark_stays_text(line: str, expected: str) -> None:
    assert markdown([block(BlockKind.PARAGRAPH, line)]) == expected
    assert markdown([block(BlockKind.PARAGRAPH, line)], escaped=False) == line


def test_a_value_stays_under_its_column_beside_merged_cells() -> None:
    rows = [
        [cell("Region"), cell("Product"), cell("Units")],
        [replace(cell("North"), rows=2), cell("Hub"), cell("7")],
        [cell("Switch"), cell("9")],
        [replace(cell("Total"), columns=2), cell("16")],
    ]
    assert table(rows) == (
        "| Region | Product | Units |\n| --- | --- | --- |\n| North | Hub | 7 |\n|  | Switch | 9 |\n| Total |  | 16 |"
    )


def test_a_pipe_in_a_cell_is_escaped_always() -> None:
    rows = [[cell("a|b")], [Cell((Span("c|d", code=True),))]]
    assert table(rows) == "| a\\|b |\n| --- |\n| `c\\|d` |"
    assert table(rows, escaped=False) == table(rows)


def test_notes_comments_and_quotes_are_quotes_and_running_lines_are_left_out() -> None:
    blocks = [
        block(BlockKind.PAGE_HEADER, "Acme"),
        block(BlockKind.QUOTE, "To be\nor not"),
        block(BlockKind.NOTE, "See page 3"),
        block(BlockKind.COMMENT, "Really?"),
        block(BlockKind.PAGE_FOOTER, "4"),
    ]
    quotes = "> To be\n> or not\n\n> **Note:** See page 3\n\n> **Comment:** Really?"
    assert markdown(blocks, escaped=False) == quotes
    assert markdown(blocks, escaped=False, furniture=True) == f"Acme\n\n{quotes}\n\n4"


def test_nested_lists_are_indented_to_the_text_above() -> None:
    items = [
        block(BlockKind.LIST_ITEM, "one", 1, marker="1."),
        block(BlockKind.LIST_ITEM, "inner", 2, marker="•"),
        block(BlockKind.LIST_ITEM, "lettered", 2, marker="a)"),
        block(BlockKind.LIST_ITEM, "two\nlines", 1, marker="2."),
    ]
    assert markdown(items) == "1. one\n   - inner\n   - a) lettered\n2. two  \n   lines"


def cell(text: str) -> Cell:
    return Cell((Span(text),))
