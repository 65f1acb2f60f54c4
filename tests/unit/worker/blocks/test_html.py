"""Blocks as HTML and as JSON and as plain text."""

from hypothesis import given
from hypothesis import strategies as st
from lxml import html as lxml_html
from pydantic import TypeAdapter

from schemas.blocks import Block, BlockKind, Cell, Origin, Span, block
from schemas.document_json import DOCUMENT, document_json, shown
from services.worker.blocks.html import document, fragment
from services.worker.blocks.text import text

SAMPLE = (
    block(BlockKind.HEADING, "Minutes & more", 2, page=1),
    Block(BlockKind.PARAGRAPH, (Span("Dear "), Span("Ada", bold=True, link="https://a.example/?a=1&b=2")), page=1),
    block(BlockKind.LIST_ITEM, "one", 1, marker="3."),
    block(BlockKind.LIST_ITEM, "inner", 2, marker="a)"),
    block(BlockKind.LIST_ITEM, "two", 1, marker="4."),
    Block(
        BlockKind.TABLE,
        rows=(
            (Cell((Span("Region"),), rows=2, header=True), Cell((Span("Q1"),), columns=2, header=True)),
            (Cell((Span("Hub"),)), Cell((Span("7"),))),
        ),
        page=2,
        bbox=(1.0, 2.0, 3.5, 4.0),
        confidence=0.5,
        origin=Origin.OCR,
    ),
    block(BlockKind.CODE, "if a < b:\n    pass", marker="python"),
    block(BlockKind.PAGE_FOOTER, "page 1"),
)


def test_html_states_what_each_block_is() -> None:
    assert fragment(SAMPLE).splitlines() == [
        "<h2>Minutes &amp; more</h2>",
        '<p>Dear <a href="https://a.example/?a=1&amp;b=2"><strong>Ada</strong></a></p>',
        '<ol><li value="3">one<ul><li>a) inner</li></ul></li>',
        '<li value="4">two</li></ol>',
        "<table>",
        '<tr><th rowspan="2">Region</th><th colspan="2">Q1</th></tr>',
        "<tr><td>Hub</td><td>7</td></tr>",
        "</table>",
        '<pre><code class="language-python">if a &lt; b:',
        "    pass</code></pre>",
        '<footer class="page"><p>page 1</p></footer>',
    ]


def test_a_document_has_a_title_and_a_section_for_each_page() -> None:
    page = lxml_html.document_fromstring(document("A <b>", [SAMPLE[:1], SAMPLE[5:6]], "slide"))
    assert page.findtext(".//title") == "A <b>"
    assert [section.get("data-number") for section in page.iterfind(".//section[@class='slide']")] == ["1", "2"]


@given(
    st.text(st.sampled_from("<>&\"'ab/= \n")), st.sampled_from(["", "javascript:x()", 'h" onclick="x()', "data:a,b"])
)
def test_no_text_and_no_address_becomes_an_element(words: str, link: str) -> None:
    blocks = [Block(kind, (Span(words, link=link),), 1) for kind in BlockKind if kind is not BlockKind.TABLE]
    page = lxml_html.fragment_fromstring(fragment([*blocks, Block(BlockKind.CODE, (Span("x"),), marker=words)]), "div")
    allowed = {"div", "h1", "p", "ul", "li", "pre", "code", "blockquote", "figure", "figcaption", "aside", "header"}
    assert {element.tag for element in page.iter()} <= allowed | {"footer", "a", "br"}
    assert all(set(element.keys()) <= {"class", "href"} for element in page.iter())
    assert not any((element.get("href") or "").startswith(("javascript:", "data:")) for element in page.iter("a"))


def test_plain_text_has_a_line_for_each_row_and_no_running_lines() -> None:
    assert text(SAMPLE) == (
        "Minutes & more\n\nDear Ada\n\n3. one\n  a) inner\n4. two\n\nRegion\tQ1\n\tHub\t7\n\nif a < b:\n    pass"
    )


def test_json_has_what_a_block_has_and_is_read_again() -> None:
    made = document_json("Minutes", "page", SAMPLE)
    values = shown(made)
    assert values["blocks"][0] == {"kind": "heading", "text": "Minutes & more", "level": 2, "page": 1}
    assert values["blocks"][5]["rows"][0] == [
        {"text": "Region", "rows": 2, "header": True},
        {"text": "Q1", "columns": 2, "header": True},
    ]
    assert values["blocks"][1]["spans"][1] == {"text": "Ada", "bold": True, "link": "https://a.example/?a=1&b=2"}
    assert DOCUMENT.validate_python(values) == made


def test_blocks_are_written_and_read_as_a_checkpoint() -> None:
    adapter = TypeAdapter(tuple[Block, ...])
    assert adapter.validate_json(adapter.dump_json(SAMPLE)) == SAMPLE
