"""What a PDF has beside its pages' content: the states of boxes, values, comments, signatures, embedded files."""

import itertools
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.worker.pages.attachments import XFA_BESIDE, XFA_ONLY
from tests.support.files.forms import boxes, choice, entry, form, signed, written, xfa
from tests.support.runs.extraction import Desk
from tests.support.runs.pdf import run as run_pdf

NAMES = ("Married", "Widowed", "Smoker")


@pytest.mark.parametrize("ticked", list(itertools.product([True, False], repeat=3)), ids=str)
def test_the_state_of_each_box_is_read_in_words(desk: Desk, ticked: tuple[bool, ...]) -> None:
    result = desk.run(form(desk.folder / "a.pdf", boxes(dict(zip(NAMES, ticked, strict=True)))))
    states = ["yes" if one else "no" for one in ticked]
    words = [f"{name}: {state}" for name, state in zip(NAMES, states, strict=True)]
    assert result.structured_data["extracted_text"].splitlines() == [*NAMES, "", *words]
    fields = result.structured_data["metadata"]["form_fields"]
    assert [(one["name"], one["kind"], one["value"], one["page"]) for one in fields] == [
        (name, "check_box", state, 1) for name, state in zip(NAMES, states, strict=True)
    ]


def test_a_pdf_job_reads_no_tick_as_a_digit_and_lists_the_fields(desk: Desk) -> None:
    path = form(desk.folder / "a.pdf", boxes({"Widowed": True}), entry("city", "Bremen"))
    data = run_pdf(desk.place, path, "native")[0].structured_data
    assert data["extracted_text"].splitlines() == ["--- Seite 1 ---", "Widowed", "Bremen"]
    assert [(one["name"], one["value"]) for one in data["metadata"]["form_fields"]] == [
        ("Widowed", "yes"),
        ("city", "Bremen"),
    ]


def test_a_value_stands_once_and_is_named_where_the_page_does_not_show_it(desk: Desk) -> None:
    def blank(page: Any) -> None:
        """The field is not shown on the page."""
        (widget,) = page.widgets()
        page.parent.xref_set_key(widget.xref, "F", "2")

    assert desk.text(form(desk.folder / "a.pdf", entry("city", "Bremen", "Home town"))) == "Bremen"
    assert desk.text(form(desk.folder / "b.pdf", entry("city", "Bremen", "Home town"), blank)) == "Home town: Bremen"
    assert desk.text(form(desk.folder / "c.pdf", choice("colour", "green"))) == "green"


@pytest.mark.parametrize("author", ["Anna", ""])
@pytest.mark.parametrize("kind", ["note", "highlight", "stamp"])
def test_a_comment_stands_at_the_end_of_its_page(desk: Desk, kind: str, author: str) -> None:
    def comment(page: Any) -> None:
        page.insert_text((72, 72), "The page itself")
        match kind:
            case "note":
                annotation = page.add_text_annot((200, 200), "Please\rcheck")
            case "highlight":
                annotation = page.add_highlight_annot((72, 60, 150, 75))
            case _:
                annotation = page.add_rect_annot((72, 60, 150, 75))
        annotation.set_info(content="Please\rcheck", title=author)
        annotation.update()

    result = desk.run(form(desk.folder / "a.pdf", comment))
    by = " by Anna" if author else ""
    assert result.structured_data["extracted_text"] == f"The page itself\n\nComment{by}: Please\ncheck"
    assert result.structured_data["metadata"]["comments"] == [{"page": 1, "author": author, "text": "Please\ncheck"}]


def test_a_comment_that_the_page_shows_stands_once(desk: Desk) -> None:
    path = form(desk.folder / "a.pdf", lambda page: page.add_freetext_annot((72, 72, 300, 120), "Seen by all"))
    assert desk.text(path) == "Seen by all"


def test_embedded_files_are_named_with_their_sizes(desk: Desk) -> None:
    def attach(page: Any) -> None:
        page.insert_text((72, 72), "Cover")
        page.parent.embfile_add("contract", b"x" * 1500, filename="contract.pdf", ufilename="Verträge.pdf")
        page.add_file_annot((100, 100), b"hello", "notes.txt")

    path = form(desk.folder / "a.pdf", attach)
    named = "The PDF has embedded files; not read were Verträge.pdf (1,500 bytes), notes.txt (5 bytes)."
    result = desk.run(path)
    assert result.notes == (named,)
    assert result.structured_data["metadata"]["embedded_files"] == [
        {"name": "Verträge.pdf", "size": 1500, "page": None},
        {"name": "notes.txt", "size": 5, "page": 1},
    ]
    assert run_pdf(desk.place, path, "native")[0].structured_data["metadata"]["warnings"] == [named]


def test_embedded_files_in_the_branches_of_a_tree_are_named(desk: Desk) -> None:
    def branch(page: Any) -> None:
        document = page.parent
        for number in range(2):
            document.embfile_add(f"{number}", b"12345", filename=f"{number}.txt")
        catalog = document.pdf_catalog()
        leaf = document.get_new_xref()
        document.update_object(leaf, f"<</Names {document.xref_get_key(catalog, 'Names/EmbeddedFiles/Names')[1]}>>")
        document.xref_set_key(catalog, "Names/EmbeddedFiles", f"<</Kids[{leaf} 0 R]>>")

    files = desk.run(form(desk.folder / "a.pdf", branch)).structured_data["metadata"]["embedded_files"]
    assert [(one["name"], one["size"]) for one in files] == [("0.txt", 5), ("1.txt", 5)]


def test_a_portfolio_is_named(desk: Desk) -> None:
    def collect(page: Any) -> None:
        for number in range(25):
            page.parent.embfile_add(f"{number}", b"x", filename=f"{number}.txt")
        page.parent.xref_set_key(page.parent.pdf_catalog(), "Collection", "<</View/D>>")

    (note,) = desk.run(form(desk.folder / "a.pdf", collect, entry("a", "b"))).notes
    assert note.startswith("The PDF is a portfolio; not read were 0.txt (1 bytes), ")
    assert note.endswith(" and 5 more.")


@pytest.mark.parametrize(
    ("fields", "rendering", "note"),
    [(False, True, XFA_ONLY), (False, False, XFA_ONLY), (True, True, XFA_ONLY), (True, False, XFA_BESIDE)],
)
def test_an_xfa_form_is_named(desk: Desk, fields: bool, rendering: bool, note: str) -> None:
    path = form(desk.folder / "a.pdf", xfa(fields, rendering))
    assert desk.run(path).notes == (note,)
    assert run_pdf(desk.place, path, "native")[0].notes == (note,)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("<</Type/Sig/Name(Anna Berg)/M(D:20210312101500+01'00')>>", "by Anna Berg on 2021-03-12 in the field Chair"),
        ("<</Type/Sig>>", "in the field Chair"),
    ],
)
def test_a_signature_is_named_and_not_vouched_for(desk: Desk, value: str, words: str) -> None:
    (note,) = desk.run(
        form(desk.folder / "a.pdf", lambda page: page.insert_text((72, 300), "Text"), signed("Chair", value))
    ).notes
    assert note == f"Page 1 is signed {words}; the signature was not verified."


def test_an_unsigned_field_is_not_named(desk: Desk) -> None:
    path = form(desk.folder / "a.pdf", lambda page: page.insert_text((72, 300), "Text"), signed("Chair", ""))
    assert desk.run(path).notes == ()


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.dictionaries(st.text("abcdefgh", min_size=1, max_size=6), st.booleans(), min_size=1, max_size=8))
def test_no_box_of_any_form_is_lost(desk: Desk, states: dict[str, bool]) -> None:
    fields = desk.run(form(desk.folder / "a.pdf", boxes(states))).structured_data["metadata"]["form_fields"]
    assert {one["name"]: one["value"] == "yes" for one in fields} == states


ODD = {
    "file without content": "/Subtype/FileAttachment/FS<</Type/Filespec/F(lost.txt)>>",
    "radio button without looks": "/Subtype/Widget/FT/Btn/Ff 32768/T(r)/V/yes",
}


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD.keys())
def test_an_odd_annotation_or_field_costs_itself_alone(desk: Desk, odd: str) -> None:
    others = written(odd, "/Subtype/Text/Contents(Check)", "/Subtype/Widget/FT/Tx/T(city)/V(Bremen)/F 2")
    path = form(desk.folder / "a.pdf", lambda page: page.insert_text((72, 300), "Text"), others)
    result = desk.run(path)
    assert result.structured_data["extracted_text"] == "Text\n\ncity: Bremen\nComment: Check"
    assert result.notes == ("A form field, comment or attached file cannot be read on page 1.",)
    assert run_pdf(desk.place, path, "native")[0].notes == result.notes


def test_an_odd_embedded_file_costs_itself_alone(desk: Desk) -> None:
    def attach(page: Any) -> None:
        page.insert_text((72, 72), "Cover")
        names = "<</Names[(a)<</Type/Filespec/F(lost.txt)>>]>>"
        page.parent.embfile_add("b", b"12345", filename="b.txt")
        catalog = page.parent.pdf_catalog()
        kept = page.parent.xref_get_key(catalog, "Names/EmbeddedFiles/Names")[1]
        page.parent.xref_set_key(catalog, "Names/EmbeddedFiles", f"<</Kids[{names}<</Names {kept}>>]>>")

    result = desk.run(form(desk.folder / "a.pdf", attach))
    assert [one["name"] for one in result.structured_data["metadata"]["embedded_files"]] == ["b.txt"]
    assert result.notes[-1] == "An embedded file of the PDF cannot be read, not even its name."
