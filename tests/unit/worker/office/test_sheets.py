"""Spreadsheets: what the cells show, what stands beside them, and sheets with odd parts."""

from datetime import datetime

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.files import office, ooxml
from tests.support.files.ooxml import book, drawn, element
from tests.support.runs.extraction import Desk


def sheet_data(*rows: str) -> str:
    return f"<sheetData>{''.join(f'<row>{row}</row>' for row in rows)}</sheetData>"


def text(value: str) -> str:
    return f'<c t="inlineStr"><is><t>{value}</t></is></c>'


def lines_of(desk: Desk, workbook: openpyxl.Workbook) -> list[str]:
    path = desk.folder / "a.xlsx"
    workbook.save(str(path))
    return [line for line in desk.text(path).splitlines() if line and not line.startswith("| ---")]


def test_cells_show_what_they_show(desk: Desk) -> None:
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    formats = [("0.0%", 0.075), ('#,##0.00 "€"', 1234.5), ("000", 7), ("[h]:mm", 1.1041666666666667), ("0;(0)", -5),
               ("dd.mm.yyyy", datetime(2026, 3, 15)), ("# ?/?", 0.5), ("General", 3.0)]  # fmt: skip
    for row, (code, value) in enumerate(formats, 1):
        sheet.cell(row, 1, value).number_format = code
    shown = ["7.5%", "1,234.50 €", "007", "26:30", "(5)", "15.03.2026", "1/2", "3"]
    assert lines_of(desk, workbook)[1:] == [f"| {value} |" for value in shown]


def test_formulas_without_a_result_are_given_as_they_are_and_noted(desk: Desk) -> None:
    master = '<c r="C1"><f t="shared" si="0" ref="C1:C2">A1*$B1+A$1</f></c>'
    follower = '<c r="C2"><f t="shared" si="0"/><v/></c>'
    rows = f'<row r="1"><c r="A1"><v>2</v></c>{master}</row><row r="2"><c r="A2"><v>3</v></c>{follower}</row>'
    xml = f"<sheetData>{rows}</sheetData>"
    result = desk.run(book(desk.folder / "a.xlsx", {"Sums": xml}))
    assert result.structured_data["extracted_text"] == (
        "## Sums\n\n| 2 | =A1*$B1+A$1 |\n| --- | --- |\n| 3 | =A2*$B2+A$1 |"
    )
    assert "Formulas without a stored result on the sheet Sums: 2." in result.notes[0]


def test_a_formula_with_a_result_shows_it_even_an_empty_one(desk: Desk) -> None:
    xml = sheet_data('<c><f>1+1</f><v>2</v></c><c t="str"><f>""</f><v></v></c><c t="e"><f>1/0</f><v>#DIV/0!</v></c>')
    result = desk.run(book(desk.folder / "a.xlsx", {"S": xml}))
    assert (result.structured_data["extracted_text"], result.notes) == ("## S\n\n| 2 | #DIV/0! |\n| --- | --- |", ())


def test_merged_cells_keep_each_value_under_its_column(desk: Desk) -> None:
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    for row in (["Region", "Product", "Units"], ["EU", "Cable", 12], [None, "Hub", 7], ["Sum", None, 19]):
        sheet.append(row)
    sheet.merge_cells("A2:A3")
    sheet.merge_cells("A4:B4")
    assert lines_of(desk, workbook)[1:] == [
        "| Region | Product | Units |",
        "| EU | Cable | 12 |",
        "|  | Hub | 7 |",
        "| Sum |  | 19 |",
    ]


def test_tables_far_apart_are_tables_of_their_own(desk: Desk) -> None:
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    for row, values in ((1, "ab"), (2, "cd"), (4, "ef"), (9, "gh")):
        for column, value in enumerate(values, 1):
            sheet.cell(row, column, value)
    path = desk.folder / "a.xlsx"
    workbook.save(str(path))
    assert desk.text(path) == "## Sheet\n\n| a | b |\n| --- | --- |\n| c | d |\n| e | f |\n\n| g | h |\n| --- | --- |"


def test_text_boxes_charts_and_comments_stand_behind_the_cells(desk: Desk) -> None:
    anchor = "<xdr:twoCellAnchor>{}</xdr:twoCellAnchor>"
    box = anchor.format(f"<xdr:sp><xdr:txBody>{drawn('deliver before noon')}</xdr:txBody></xdr:sp>")
    graph = anchor.format(f"<xdr:graphicFrame>{ooxml.CHART}</xdr:graphicFrame>")
    comment = '<comment ref="B2" authorId="0"><text><r><t>Ann:\n</t></r><r><t>too much</t></r></text></comment>'
    parts = {
        "d.xml": element("xdr:wsDr", box + graph),
        "_rels/d.xml.rels": ooxml.rels([("chart", "chart", "c.xml")]),
        "c.xml": ooxml.chart(series={"North": [1, 2]}),
        "n.xml": element("comments", f"<authors><author>Ann</author></authors><commentList>{comment}</commentList>"),
    }
    xml = sheet_data(text("cell")) + '<drawing r:id="d"/>'
    links = [("d", "drawing", "d.xml"), ("c", "comments", "n.xml")]
    result = desk.run(book(desk.folder / "a.xlsx", {"S": xml}, links, parts))
    assert result.structured_data["extracted_text"] == (
        "## S\n\n| cell |\n| --- |\n\ndeliver before noon\n\nSales\n\n"
        "|  | North |\n| --- | --- |\n| Q1 | 1 |\n| Q2 | 2 |\n\n> **Comment:** B2: Ann: too much"
    )
    assert result.notes == ()


def test_threads_of_comments_replace_their_stand_ins(desk: Desk) -> None:
    thread = '<tc:threadedComment ref="A1" personId="p"><tc:text>{}</tc:text></tc:threadedComment>'
    stand_in = '<comment ref="A1" authorId="0"><text><t>[Threaded comment] why because</t></text></comment>'
    parts = {
        "t.xml": element("tc:ThreadedComments", thread.format("why") + thread.format("because")),
        "c.xml": element("comments", f"<authors><author>tc=1</author></authors><commentList>{stand_in}</commentList>"),
        "persons.xml": element("tc:personList", '<tc:person id="p" displayName="Ann"/>'),
    }
    links = [("t", "threadedComment", "t.xml"), ("c", "comments", "c.xml")]
    path = book(desk.folder / "a.xlsx", {"S": sheet_data(text("x"))}, links, parts)
    relations = [("s1", "worksheet", "sheet1.xml"), ("p", "person", "persons.xml")]
    office.put(path, "xl/_rels/workbook.xml.rels", ooxml.rels(relations).encode())
    result = desk.run(path)
    comments = "> **Comment:** A1: Ann: why\n\n> **Comment:** A1: Ann: because"
    assert result.structured_data["extracted_text"].endswith(f"| x |\n| --- |\n\n{comments}")
    assert result.notes == ()


def test_hidden_sheets_are_read_and_named(desk: Desk) -> None:
    path = book(desk.folder / "a.xlsx", {"Seen": sheet_data(text("a")), "Costs": sheet_data(text("secret"))})
    office.rewrite(path, "xl/workbook.xml", b'name="Costs"', b'name="Costs" state="hidden"')
    result = desk.run(path)
    assert "secret" in result.structured_data["extracted_text"]
    assert result.notes == ("The sheet Costs is hidden in the workbook.",)


def test_what_is_printed_around_a_sheet_is_read(desk: Desk) -> None:
    above = '<oddHeader>&amp;L&amp;"Arial,Bold"&amp;8ACME &amp;&amp; Sons&amp;R&amp;D</oddHeader>'
    printed = f"<headerFooter>{above}<oddFooter>&amp;CPage &amp;P</oddFooter></headerFooter>"
    assert desk.text(book(desk.folder / "a.xlsx", {"S": sheet_data(text("x")) + printed})) == (
        "## S\n\nACME & Sons\n\n| x |\n| --- |\n\nPage"
    )


@pytest.mark.parametrize("styles", ["<fill/>", "<styleSheet", "<styleSheet><fills><fill/></fills></styleSheet>", ""])
def test_styles_that_are_odd_or_missing_cost_no_cell(desk: Desk, styles: str) -> None:
    parts = {"styles.xml": styles} if styles else {}
    path = book(desk.folder / "a.xlsx", {"S": sheet_data('<c s="4"><v>5</v></c>')}, parts=parts)
    assert desk.text(path) == "## S\n\n| 5 |\n| --- |"


def test_a_sheet_that_is_missing_or_broken_leaves_the_others(desk: Desk) -> None:
    path = book(desk.folder / "a.xlsx", {name: sheet_data(text(name.lower())) for name in ("One", "Two", "Three")})
    office.put(path, "xl/sheet2.xml", b"no XML")
    result = desk.run(path)
    sheets = ["## One\n\n| one |\n| --- |", "## Two", "## Three\n\n| three |\n| --- |"]
    assert result.structured_data["extracted_text"] == "\n\n".join(sheets)
    assert result.notes == ("The sheet Two could not be read.",)


def test_a_sheet_that_ends_early_gives_its_first_rows_and_a_note(desk: Desk) -> None:
    path = book(desk.folder / "a.xlsx", {"S": sheet_data(text("first"), text("second"))})
    content = office.member(path, "xl/sheet1.xml")
    office.put(path, "xl/sheet1.xml", content[: content.index(b"second")])
    result = desk.run(path)
    assert "first" in result.structured_data["extracted_text"]
    assert "damaged" in result.notes[0]


def test_equal_long_texts_of_many_cells_are_refused_while_they_are_read(desk: Desk) -> None:
    strings = element("sst", f"<si><t>{'x' * 100_000}</t></si>")
    rows = sheet_data(*('<c t="s"><v>0</v></c>' * 10 for _ in range(30)))
    error = desk.refused(book(desk.folder / "a.xlsx", {"S": rows}, parts={"sharedStrings.xml": strings}))
    assert error.code == "FILE_TOO_LARGE"


VALUES = st.one_of(
    st.none(),
    st.integers(-(10**9), 10**9),
    st.booleans(),
    st.text("abc |äß漢\n", min_size=1, max_size=8).filter(lambda value: value.strip() and value == value.strip()),
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.tuples(VALUES, VALUES), min_size=1, max_size=6))
def test_all_values_that_a_library_writes_are_read_in_their_places(
    desk: Desk, rows: list[tuple[object, object]]
) -> None:
    workbook = openpyxl.Workbook()
    workbook.active.append(["row", "one", "two"])
    for number, row in enumerate(rows):
        workbook.active.append([number, *row])

    def written(value: object) -> str:
        if isinstance(value, bool):
            return str(value).upper()
        return "" if value is None else " ".join(str(value).split()).replace("|", "\\|")

    expected = [["row", "one", "two"], *([str(number), *map(written, row)] for number, row in enumerate(rows))]
    used = [column for column in range(3) if any(line[column] for line in expected[1:]) or expected[0][column]]
    lines = ["| " + " | ".join(line[column] for column in used) + " |" for line in expected]
    assert lines_of(desk, workbook)[1:] == lines
