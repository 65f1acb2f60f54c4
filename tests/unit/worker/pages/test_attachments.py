"""Pages with many fields and comments, and lists of which several entries are chosen."""

import sys
from collections.abc import Callable
from typing import Any

import pytest

from services.worker.pages import annotations, mupdf
from services.worker.pages.attachments import Attachments, Comment, FormField, with_attachments
from tests.support.files.forms import written

FIELD = "/Subtype/Widget/FT/Tx/T(city)/V(Bremen)"
COMMENT = "/Subtype/Text/Contents(Check)"
SIZES = ("small", "large", "huge")
STEPS = (annotations.of_page, mupdf.page_text)


class Counted(str):
    """A text that counts how often it is divided into words."""

    divisions = 0

    def split(self, *arguments: Any) -> list[str]:
        self.divisions += 1
        return super().split(*arguments)

    def strip(self, *arguments: Any) -> str:
        return self


def calls_of(work: Callable[[], object]) -> int:
    """The number of Python functions that this calls."""
    calls = 0

    def count(_frame: object, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event == "call"

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(before)
    return calls


def document_of(*members: str) -> Any:
    document = mupdf.pymupdf.open()
    written(*members)(document.new_page())
    return mupdf.pymupdf.open("pdf", document.tobytes())


@pytest.mark.parametrize("member", [FIELD, COMMENT], ids=["fields", "comments"])
@pytest.mark.parametrize("step", STEPS, ids=["beside", "text"])
def test_the_work_on_a_page_grows_as_its_members_do(member: str, step: Callable[[Any, int], object]) -> None:
    some, many = (document_of(*[member] * count) for count in (50, 200))
    assert calls_of(lambda: step(many, 1)) < 5 * calls_of(lambda: step(some, 1))
    found = annotations.of_page(many, 1)
    assert len(found.fields) + len(found.comments) == 200


def test_the_text_of_a_page_is_divided_once_for_all_its_values() -> None:
    text = Counted("City:\nBremen  (Hanse)")
    fields = tuple(FormField(1, "city", "text", value) for value in ("Bremen (Hanse)", "Lübeck", "Rostock"))
    written_out = with_attachments(text, Attachments(fields, (Comment(1, "", "Check"),)))
    assert written_out.endswith("\n\ncity: Lübeck\ncity: Rostock\nComment: Check")
    assert text.divisions == 1


@pytest.mark.parametrize(
    ("value", "stands"), [("[(a)(b)]", "a, b"), ("[(a)]", "a"), ("[]", ""), ("(b)", "b"), ("[/a (b)]", "a, b")]
)
def test_a_list_has_all_entries_that_are_chosen(value: str, stands: str) -> None:
    chosen = f"/Subtype/Widget/FT/Ch/Ff {1 << 21}/T(colours)/Opt[(a)(b)(c)]/V{value}"
    (field,) = annotations.of_page(document_of(chosen), 1).fields
    assert (field.kind, field.value) == ("choice", stands)
    assert with_attachments("Colours: a", Attachments((field,))).endswith(stands)


def test_a_list_has_the_entries_that_are_chosen_by_its_parent() -> None:
    document = document_of("/Subtype/Widget")
    ((xref, _, _),) = document[0].annot_xrefs()
    parent = document.get_new_xref()
    document.update_object(parent, f"<</FT/Ch/Ff {1 << 21}/T(colours)/V[(a)(b)]/Kids[{xref} 0 R]>>")
    document.xref_set_key(xref, "Parent", f"{parent} 0 R")
    (field,) = annotations.of_page(mupdf.pymupdf.open("pdf", document.tobytes()), 1).fields
    assert (field.name, field.value) == ("colours", "a, b")


def test_of_a_group_of_radio_buttons_the_chosen_one_is_read() -> None:
    buttons = (f"/Subtype/Widget/FT/Btn/Ff 32768/T(size)/V/large/AP<</N<</{on}<<>>/Off<<>>>>>>" for on in SIZES)
    found = annotations.of_page(document_of(*buttons), 1)
    assert [(one.kind, one.name, one.value) for one in found.fields] == [("radio_button", "size", "large")]
    assert found.unread == ()
