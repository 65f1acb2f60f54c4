"""Web pages as blocks: what was written, in whichever spelling, is what is read."""

import re
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.blocks import Block, BlockKind, Span
from services.worker.blocks.grid import grid
from services.worker.blocks.markdown import markdown
from services.worker.blocks.text import text
from services.worker.markup import source
from services.worker.markup.page import read_page
from tests.support.files.pages import PARTS, Part, Spelling


def meant(part: Part) -> list[tuple[BlockKind, int, str]]:
    """The blocks that a part of a page means: kind, level, text."""
    if part.tag == "table":
        return [(BlockKind.TABLE, 0, "\n".join("\t".join(row) for row in part.rows))]
    if part.tag in ("ul", "ol"):
        return [(BlockKind.LIST_ITEM, 1, item) for (item,) in part.rows]
    if part.tag == "p":
        return [(BlockKind.PARAGRAPH, 0, part.rows[0][0])]
    return [(BlockKind.HEADING, int(part.tag[1]), part.rows[0][0])]


def blocks(html: str) -> tuple[Block, ...]:
    return read_page(html).blocks


def shown(html: str) -> str:
    return markdown(blocks(html), escaped=False)


@given(PARTS, st.data())
def test_a_page_is_read_as_it_is_meant_in_every_spelling(parts: list[Part], data: st.DataObject) -> None:
    page = read_page(Spelling(data).page(parts))
    found = [(block.kind, block.level, block.text) for block in page.blocks]
    assert found == [block for part in parts for block in meant(part)]
    assert page.notes == ()


@given(st.integers(1, 5), st.integers(1, 5), st.data())
def test_cells_that_cover_several_places_leave_each_value_under_its_column(
    height: int, width: int, data: st.DataObject
) -> None:
    taken: dict[tuple[int, int], str] = {}
    rows, expected = "", {}
    for row in range(height):
        rows += "<tr>"
        for column in range(width):
            if (row, column) in taken:
                continue
            free = next((c for c in range(column, width) if (row, c) in taken), width) - column
            columns, lines = data.draw(st.integers(1, free)), data.draw(st.integers(1, height - row))
            name = f"r{row}c{column}"
            taken |= {(r, c): name for r in range(row, row + lines) for c in range(column, column + columns)}
            expected[name] = (row, column)
            rows += f"<td colspan={columns} rowspan={lines}>{name}"
    found = blocks(f"<table>{rows}<tr><td>last<td>row</table>")[0]
    begun = sorted({column for _, column in expected.values()} | {0, 1})
    table = grid(found.rows)
    places = {cell.text: (r, c) for r, line in enumerate(table) for c, cell in enumerate(line) if cell}
    assert {name: places[name] for name in expected} == {
        name: (row, begun.index(column)) for name, (row, column) in expected.items()
    }


def test_a_row_span_of_zero_or_too_many_ends_with_its_group() -> None:
    html = (
        "<table><tbody><tr><td rowspan=0>a<td>b<tr><td>c<tbody><tr><td rowspan=99>d<td>e<tfoot><tr><td>f<td>g</table>"
    )
    assert shown(html) == "| a | b |\n| --- | --- |\n|  | c |\n| d | e |\n| f | g |"


def test_a_table_that_lays_out_others_gives_what_it_holds() -> None:
    html = "<table><tr><td><h1>Hi</h1><table><tr><td>a<td>b<tr><td>c<td>d</table><td><p>Side</table>"
    assert shown(html) == "# Hi\n\n| a | b |\n| --- | --- |\n| c | d |\n\nSide"
    assert shown("<table role=presentation><tr><td>a<td>b</table>") == "a\n\nb"
    assert shown("<table><tr><td><p>only<p>cell</table>") == "only\n\ncell"


def test_lists_keep_their_depth_and_their_counting() -> None:
    html = "<ol start=3><li>three<ul><li>deep<p>more</ul><li value=7>seven<ol type=a><li>x<li>y</ol><li>eight</ol>"
    assert shown(html) == "3. three\n   - deep\n     more\n7. seven\n   - a. x\n   - b. y\n8. eight"


def test_what_stands_in_an_item_after_a_table_is_not_lost() -> None:
    html = "<ul><li>one<table><tr><td>a<td>b</table>after<li><pre>code</pre><li></ul>"
    assert text(blocks(html)) == "- one\n\na\tb\n\nafter\n\ncode"


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<p>one<br>two", "one\ntwo"),
        ("<pre class='language-python'>if a:\n  <b>b</b></pre>", "```python\nif a:\n  b\n```"),
        ("<pre><code class=lang-js>x</code></pre>", "```js\nx\n```"),
        ("<blockquote><p>To be<p>or not</blockquote>", "> To be\n\n> or not"),
        ("<figure><img alt='A ship'><figcaption>Fig. 1</figcaption></figure>", "A ship\n\nFig. 1"),
        ("<ruby>東京<rt>とうきょう</ruby>に", "東京(とうきょう)に"),
        ("<ruby>東京<rp>[</rp><rt>とうきょう</rt><rp>]</rp></ruby>", "東京[とうきょう]"),
        ("<p>x<math><mi>a</mi><mo>≤</mo><mn>4</mn><annotation>a \\le 4</annotation></math>", "xa≤4"),
        ("<svg><title>icon</title><text>Turnover</text><g><text>2024</text></g></svg>", "Turnover 2024"),
        ("<p>He said <q>yes</q>", 'He said "yes"'),
        ("<h2><div>Two</div><div>words</div></h2>", "## Two words"),
        ("<dl><dt>Term<dd>Meaning<dt>Other</dl>", "Term\n\nMeaning\n\nOther"),
        ("<p><del>old</del> <code>x</code> <b><i>both</i></b>", "~~old~~ `x` ***both***"),
        ("a<o:p>b</o:p> c", "ab c"),
        ("<p>a&nbsp;b  \n c", "a\u00a0b c"),
        ("<table><caption>Costs<tr><td>a<td>b</table>", "Costs\n\n| a | b |\n| --- | --- |"),
        ("<table><tr><td>a<p>b<td><ol><li>x<li>y</ol></table>", "| a b | 1. x 2. y |\n| --- | --- |"),
        ("<frameset><noframes>No frames</noframes></frameset>", "No frames"),
    ],
)
def test_elements_mean_what_html_states(html: str, expected: str) -> None:
    assert shown(html) == expected


def test_xhtml_elements_that_end_themselves_do_not_swallow_the_page() -> None:
    html = (
        '<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"><head><title/><script src="a.js"/></head>'
        '<body><a id="p1"/><i/><div class="a/b"/><p>Call me <![CDATA[<Ishmael> & co]]>.<br/>Now</p></body></html>'
    )
    assert shown(html) == "Call me <Ishmael> & co.\nNow"


@pytest.mark.parametrize("element", ["title", "select", "textarea", "noscript"])
def test_text_that_an_element_without_an_end_swallows_is_named(element: str) -> None:
    page = read_page(f"<p>first<div><{element}><p>second <b>third</b>")
    assert any(block.text == "first" for block in page.blocks)
    lost = " ".join(page.notes)
    assert ("second" in lost and "third" in lost) or "second" in page.title + markdown(page.blocks)


def test_a_page_whose_only_text_is_swallowed_gives_its_words() -> None:
    page = read_page("<title>Opening times<p>We open <b>at nine</b>")
    assert markdown(page.blocks) == "Opening times\n\nWe open at nine"
    assert len(page.notes) == 1


def test_links_and_descriptions_are_kept() -> None:
    (found,) = blocks('<p>A <a href=" https://a.example/x?a=1&amp;b ">link</a>.')
    assert found.spans == (Span("A "), Span("link", link="https://a.example/x?a=1&b"), Span("."))
    (picture,) = blocks("<img alt='A drawing' src=x>")
    assert picture.kind is BlockKind.PICTURE


@given(st.text(st.sampled_from(' <>!/-[]&;"=abcoltdrhp1²\n'), max_size=80))
def test_any_text_is_a_page(html: str) -> None:
    page = read_page(html)
    markdown(page.blocks)
    assert isinstance(page.title, str)


@pytest.mark.parametrize(
    ("start", "depth"), [("<div>", 20_000), ("<table><tr><td>", 2_000), ("<b><p>", 2_000), ("<ul><li>", 5_000)]
)
def test_a_page_of_any_depth_is_read(start: str, depth: int) -> None:
    assert "deep" in text(blocks(f"{start * depth}deep"))


@pytest.mark.parametrize("between", ["", "x", "</b>", "<svg></svg>"])
def test_the_end_of_a_hidden_element_that_nothing_ends_is_searched_once(
    monkeypatch: pytest.MonkeyPatch, between: str
) -> None:
    searched: Counter[tuple[str, bool]] = Counter()
    end_of = source._end_of

    def counted(html: str, name: str, start: int) -> re.Match[str] | None:
        found = end_of(html, name, start)
        searched[name, found is None] += 1
        return found

    monkeypatch.setattr(source, "_end_of", counted)
    assert source.plain_text(f"<object>{between}" * 50 + "<p>seen").endswith("seen")
    assert searched["object", True] == 1
