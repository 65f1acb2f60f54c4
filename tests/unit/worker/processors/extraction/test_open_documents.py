"""OpenDocument files through the `extraction` processor."""

from html import escape

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.errors import ErrorCode
from services.worker.opendocument import reader
from tests.support.files.opendocument import SPACES, open_document, root
from tests.support.runs.extraction import Desk

TABLE = """<table:table><table:table-row><table:table-cell table:number-rows-spanned="2"><text:p>Hub</text:p>
</table:table-cell><table:table-cell><text:p>1</text:p></table:table-cell></table:table-row><table:table-row>
<table:covered-table-cell/><table:table-cell><text:p>7</text:p></table:table-cell></table:table-row></table:table>"""
TITLE = 'presentation:class="title"'
WORDS = st.text(st.sampled_from("abcdefghij äß&<"), min_size=1, max_size=8)


def p(text: str) -> str:
    return f"<text:p>{text}</text:p>"


def frame(text: str, attributes: str = "") -> str:
    return f"<draw:frame {attributes}><draw:text-box>{p(text)}</draw:text-box></draw:frame>"


def test_a_text_keeps_headings_lists_tables_notes_comments_and_headers(desk: Desk) -> None:
    note = (
        f"<text:note><text:note-citation>1</text:note-citation><text:note-body>{p('NOTE')}</text:note-body></text:note>"
    )
    inner = f"<text:list><text:list-item>{p('in')}</text:list-item></text:list>"
    body = (
        f"<text:tracked-changes>{p('DELETED')}</text:tracked-changes>"
        '<text:h text:outline-level="2">Plan</text:h>'
        + p(f'A <text:span text:style-name="Strong">bold</text:span><text:s text:c="2"/>word{note}{frame("BOX")}')
        + f'<text:list text:style-name="Numbers"><text:list-item>{p("one")}{inner}</text:list-item>'
        f"<text:list-item>{p('two')}</text:list-item></text:list>{TABLE}"
        f"<office:annotation><dc:creator>Ada</dc:creator>{p('Why?')}</office:annotation>"
    )
    result = desk.run(open_document(desk.folder / "a.odt", "text", body, header="LETTERHEAD"))
    assert result.structured_data["extracted_text"] == (
        "LETTERHEAD\n\n## Plan\n\nA **bold** word\n\n> **Note:** NOTE\n\nBOX\n\n1. one\n   - in\n2. two\n\n"
        "| Hub | 1 |\n| --- | --- |\n|  | 7 |\n\n> **Comment:** Ada: Why?"
    )
    assert (result.pages, result.notes, result.structured_data["title"]) == (None, (), "Plan")


def test_a_spreadsheet_shows_its_cells_and_not_its_empty_million_rows(desk: Desk) -> None:
    body = f"""<table:table table:name="Costs"><table:table-row><table:table-cell>{p("Item")}</table:table-cell>
<table:table-cell/><table:table-cell office:value="3.5">{p("3.50 €")}<office:annotation>{p("dear")}</office:annotation>
</table:table-cell><table:table-cell table:number-columns-repeated="16381"/></table:table-row>
<table:table-row table:number-rows-repeated="1048575"><table:table-cell table:number-columns-repeated="16384"/>
</table:table-row></table:table>"""
    result = desk.run(open_document(desk.folder / "a.ods", "spreadsheet", body))
    assert result.structured_data["extracted_text"] == (
        "## Costs\n\n| Item |  | 3.50 € |\n| --- | --- | --- |\n\n> **Comment:** dear"
    )
    assert result.structured_data["metadata"]["pageUnit"] == "sheet"


def test_a_presentation_gives_slides_with_titles_shapes_and_notes(desk: Desk) -> None:
    notes = f"<presentation:notes>{frame('Say hello')}</presentation:notes>"
    slide = f"<draw:page>{frame('Start', TITLE)}"
    body = f"{slide}<draw:g><draw:rect>{p('Shape')}</draw:rect></draw:g>{notes}</draw:page><draw:page/>"
    result = desk.run(open_document(desk.folder / "a.odp", "presentation", body))
    assert result.structured_data["extracted_text"] == "# Start\n\nShape\n\n> **Note:** Say hello"
    assert (result.pages, result.structured_data["metadata"]["pageUnit"]) == (2, "slide")


def test_a_chart_within_a_text_is_read(desk: Desk) -> None:
    chart = root("document-content", f"<office:body><office:chart>{p('SALES')}</office:chart></office:body>")
    body = p('<draw:frame><draw:object xlink:href="./Object 1"/></draw:frame>')
    path = open_document(desk.folder / "a.odt", "text", body, objects={"Object 1/content.xml": chart})
    assert desk.text(path) == "SALES"


@pytest.mark.parametrize("address", ["./", ".", "", "../x/..", "Object 1/.."])
def test_an_object_that_is_the_document_around_it_is_not_read_again(desk: Desk, address: str) -> None:
    body = p(f'once<draw:frame><draw:object xlink:href="{address}"/></draw:frame>' * 8)
    result = desk.run(open_document(desk.folder / "a.odt", "text", body))
    assert result.structured_data["extracted_text"] == "once" * 8
    assert "An embedded object was not read." in result.notes


def test_objects_within_one_another_in_great_number_are_read_up_to_a_limit(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "MAX_EMBEDDED", 100)

    def chart(inner: int) -> str:
        frames = f'<draw:frame><draw:object xlink:href="Object {inner}"/></draw:frame>' * 20
        return root("document-content", f"<office:body><office:chart>{p('word' + frames)}</office:chart></office:body>")

    objects = {f"Object {number}/content.xml": chart(number + 1) for number in range(1, 6)}
    body = p('<draw:frame><draw:object xlink:href="Object 1"/></draw:frame>')
    result = desk.run(open_document(desk.folder / "a.odt", "text", body, objects=objects))
    assert result.structured_data["extracted_text"].count("word") == 100
    assert "An embedded object was not read." in result.notes


def test_empty_cells_at_the_end_of_a_row_are_left_out_in_however_many_runs(desk: Desk) -> None:
    rest = (
        '<table:table-cell table:number-columns-repeated="1000"/><table:table-cell table:number-columns-repeated="{}"/>'
    )
    filled = "".join(f"<table:table-cell>{p(one)}</table:table-cell>" for one in "AB") + rest.format(15_382)
    empty = f"<table:table-row>{rest.format(15_384)}</table:table-row>"
    body = f"<table:table><table:table-row>{filled}</table:table-row>{empty * 320}</table:table>"
    document = desk.run(open_document(desk.folder / "a.ods", "spreadsheet", body), output="json").structured_data
    (rows,) = (one["rows"] for one in document["document"]["blocks"] if one["kind"] == "table")
    assert [[cell["text"] for cell in row] for row in rows] == [["A", "B"]]


def test_empty_cells_before_another_one_keep_its_place(desk: Desk) -> None:
    gap = '<table:table-cell table:number-columns-repeated="2"/><table:table-cell/>'
    row = f"{gap}<table:table-cell>{p('x')}</table:table-cell>{gap}"
    path = open_document(
        desk.folder / "a.ods", "spreadsheet", f"<table:table><table:table-row>{row}</table:table-row></table:table>"
    )
    assert desk.text(path).startswith("|  |  |  | x |\n")


@pytest.mark.parametrize(
    "value",
    [
        ("value", "42"),
        ("string-value", "words"),
        ("date-value", "2026-11-29"),
        ("time-value", "PT12H"),
        ("boolean-value", "true"),
    ],
)
def test_a_cell_without_a_paragraph_shows_its_value(desk: Desk, value: tuple[str, str]) -> None:
    name, shown = value
    cells = (
        f'<table:table-cell office:{name}="{shown}"/><table:table-cell office:value="7"><text:p/></table:table-cell>'
    )
    body = f"<table:table><table:table-row>{cells}</table:table-row></table:table>"
    assert desk.text(open_document(desk.folder / "a.ods", "spreadsheet", body)) == f"| {shown} |\n| --- |"


def test_a_paragraph_behind_an_inner_list_does_not_join_its_item(desk: Desk) -> None:
    inner = f"<text:list><text:list-item>{p('in')}</text:list-item></text:list>"
    body = f"<text:list><text:list-item>{p('out')}{p('more')}{inner}{p('after')}</text:list-item></text:list>"
    result = desk.run(open_document(desk.folder / "a.odt", "text", body), output="json").structured_data
    blocks = [(one["kind"], one["text"]) for one in result["document"]["blocks"]]
    assert blocks == [("list_item", "out\nmore"), ("list_item", "in"), ("paragraph", "after")]


@pytest.mark.parametrize("unknown", ["text:odd", "draw:odd", "odd", "text:section"])
def test_an_unknown_element_is_looked_through(desk: Desk, unknown: str) -> None:
    body = f"<{unknown}>{p('inside')}</{unknown}>"
    assert desk.text(open_document(desk.folder / "a.odt", "text", body)) == "inside"


def test_words_that_no_reader_finds_are_named(desk: Desk) -> None:
    path = open_document(desk.folder / "a.odt", "text", f"{p('read')}<text:section>unread</text:section>")
    assert desk.run(path).notes == ("1 word is missing in the text, in the document: unread.",)


def test_a_file_with_a_password_is_refused_as_such(desk: Desk) -> None:
    path = open_document(desk.folder / "a.odt", "text", p("x"))
    manifest = f'<m {SPACES} xmlns:m="urn:m"><m:encryption-data/></m>'
    locked = open_document(desk.folder / "b.odt", "text", p("x"), objects={"META-INF/manifest.xml": manifest})
    assert desk.text(path) == "x"
    assert desk.refused(locked).code is ErrorCode.FILE_ENCRYPTED


def test_a_repeated_row_without_end_is_too_large(desk: Desk) -> None:
    row = f'<table:table-row table:number-rows-repeated="9999999"><table:table-cell>{p("x")}</table:table-cell>'
    path = open_document(desk.folder / "a.ods", "spreadsheet", f"<table:table>{row}</table:table-row></table:table>")
    assert desk.refused(path).code is ErrorCode.FILE_TOO_LARGE


def trimmed(row: list[str]) -> list[str]:
    """A row without empty cells at its end."""
    return row[: max((number for number, cell in enumerate(row, 1) if cell), default=0)]


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.lists(WORDS, min_size=2, max_size=2), min_size=1, max_size=4))
def test_the_cells_of_a_table_are_what_was_written(desk: Desk, rows: list[list[str]]) -> None:
    written = "".join(
        f"<table:table-row>{''.join(f'<table:table-cell>{p(escape(cell))}</table:table-cell>' for cell in row)}"
        "</table:table-row>"
        for row in rows
    )
    path = open_document(desk.folder / "a.odt", "text", f"<table:table>{written}</table:table>{p('end')}")
    document = desk.run(path, output="json").structured_data["document"]
    tables = [block for block in document["blocks"] if block["kind"] == "table"]
    read = [trimmed([cell["text"] for cell in row]) for table in tables for row in table["rows"]]
    wanted = [trimmed([" ".join(cell.split()) for cell in row]) for row in rows]
    while wanted and not any(wanted[-1]):
        wanted.pop()
    assert read == wanted
