"""Form fields, comments, signatures and embedded files of a PDF, by MuPDF (ISO 32000-1, 7.11.4, 12.5, 12.7).

Import this module in a child process only, as `mupdf`.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any, Final

from services.worker.pages import mupdf
from services.worker.pages.attachments import (
    NOT_TICKED,
    TICKED,
    XFA_BESIDE,
    XFA_ONLY,
    Attachments,
    Comment,
    EmbeddedFile,
    FieldKind,
    FormField,
    Signature,
)
from services.worker.run.memory import raise_if_memory
from services.worker.run.page_care import at_page

pymupdf: Any = mupdf.pymupdf
api: Any = pymupdf.mupdf

Found = FormField | Comment | Signature | EmbeddedFile

KINDS: Final[dict[int, FieldKind]] = {
    pymupdf.PDF_WIDGET_TYPE_TEXT: "text",
    pymupdf.PDF_WIDGET_TYPE_COMBOBOX: "choice",
    pymupdf.PDF_WIDGET_TYPE_LISTBOX: "choice",
}
OFF: Final = ("", "Off", "None", "False")
UNNAMED_FILE: Final = "unnamed"
UNNAMED: Final = "Unnamed field"
DAY: Final = re.compile(r"D:(\d{4})(\d\d)(\d\d)")  # ISO 32000-1, 7.9.4
NONE: Final = Attachments()


def of_page(document: Any, number: int) -> Attachments:
    """Return what page `number` (from 1) has; nothing of a page that is broken or skipped."""
    return at_page("text", number, _of_page, document, number) or NONE


def _of_page(document: Any, number: int) -> Attachments:
    try:
        page = document.load_page(number - 1)
        in_mupdf = pymupdf._as_pdf_page(page)
        widgets = list(_walk(api.pdf_first_widget(in_mupdf), api.pdf_next_widget))
        annotations = list(_walk(api.pdf_first_annot(in_mupdf), api.pdf_next_annot))
    except mupdf.PAGE_ERRORS as error:
        raise_if_memory(error)
        return NONE
    works: list[Callable[[], Iterator[Found]]] = [partial(_of_widget, document, one, number) for one in widgets]
    works += [partial(_of_annotation, one, number) for one in annotations]
    return _collected(works, number)


def _walk(first: Any, following: Callable[[Any], Any]) -> Iterator[Any]:
    """Yield a list of MuPDF. PyMuPDF's `widgets` and `annots` search the whole list for each of its members.

    PyMuPDF's `Widget` is not built: it raises for a default appearance (DA) that it does not understand.
    """
    while first.m_internal:
        yield first
        first = following(first)


def _collected(works: Iterable[Callable[[], Iterator[Found]]], number: int) -> Attachments:
    """Return what these find on page `number`, 0 for the document; an odd member costs no other one."""
    found: list[Found] = []
    is_whole = True
    for work in works:
        try:
            for one in work():
                found.append(one)  # also what precedes an error
        except Exception as error:  # noqa: BLE001 -- PyMuPDF raises whatever an odd object leads it to
            raise_if_memory(error)
            is_whole = False
    return Attachments(
        fields=tuple(one for one in found if isinstance(one, FormField)),
        comments=tuple(one for one in found if isinstance(one, Comment)),
        signatures=tuple(one for one in found if isinstance(one, Signature)),
        files=tuple(one for one in found if isinstance(one, EmbeddedFile)),
        unread=() if is_whole else (number,),
    )


def _of_widget(document: Any, widget: Any, number: int) -> Iterator[FormField | Signature]:
    """Yield the field or signature that a widget is; of a group of radio buttons the chosen one."""
    kind = api.pdf_widget_type(widget)
    field = api.pdf_annot_obj(widget)
    if kind == pymupdf.PDF_WIDGET_TYPE_SIGNATURE:
        yield from _signature(document, field, number)
    elif kind == pymupdf.PDF_WIDGET_TYPE_CHECKBOX:
        is_off = api.pdf_field_value(field) in OFF
        yield FormField(number, _name(field), "check_box", NOT_TICKED if is_off else TICKED)
    elif kind == pymupdf.PDF_WIDGET_TYPE_RADIOBUTTON:
        state = api.pdf_to_name(api.pdf_dict_gets(field, "AS")) or api.pdf_field_value(field)
        if state not in OFF and state == _on_state(field):
            yield FormField(number, _name(field), "radio_button", _one_line(state))
    elif kind in KINDS:
        yield FormField(number, _name(field), KINDS[kind], _storable(_written(field)).strip())


def _written(field: Any) -> str:
    """Return a field's value; of a list with several chosen entries, all of them (ISO 32000-1, 12.7.4.4)."""
    value = api.pdf_dict_gets_inheritable(field, "V")
    if not api.pdf_is_array(value):
        return str(api.pdf_field_value(field))
    entries = (api.pdf_array_get(value, at) for at in range(api.pdf_array_len(value)))
    return ", ".join(api.pdf_to_name(one) or api.pdf_to_text_string(one) for one in entries)


def _on_state(button: Any) -> str:
    """Return the state in which a radio button is chosen. Raises ValueError for a button that has none."""
    for looks in ("N", "D"):
        states = api.pdf_dict_gets(api.pdf_dict_gets(button, "AP"), looks)
        names = (api.pdf_to_name(api.pdf_dict_get_key(states, at)) for at in range(api.pdf_dict_len(states)))
        if name := next((name for name in names if name != "Off"), ""):
            return str(name)
    raise ValueError("a radio button that has no state")


def _of_annotation(annotation: Any, number: int) -> Iterator[Comment | EmbeddedFile]:
    kind = api.pdf_annot_type(annotation)
    written = api.pdf_annot_obj(annotation)
    text = _storable(api.pdf_annot_contents(annotation) or "").strip()
    if text and kind not in (pymupdf.PDF_ANNOT_LINK, pymupdf.PDF_ANNOT_POPUP):
        yield Comment(number, _one_line(api.pdf_to_text_string(api.pdf_dict_gets(written, "T"))), text)
    if kind == pymupdf.PDF_ANNOT_FILE_ATTACHMENT:
        yield from _file(api.pdf_dict_gets(written, "FS"), number)


def _signature(document: Any, field: Any, number: int) -> Iterator[Signature]:
    if place := _value(document, api.pdf_to_num(field)):
        date = DAY.match(_string(document, *place, "M"))
        signer = _one_line(_string(document, *place, "Name"))
        yield Signature(number, _name(field), signer, "-".join(date.groups()) if date else "")


def _value(document: Any, xref: int) -> tuple[int, str] | None:
    """Return where a field's value is, its own or its parent's: an object and a path in it; None without one."""
    for _ in range(mupdf.DEEPEST):
        kind, value = document.xref_get_key(xref, "V")
        if kind == "xref":
            return int(value.split()[0]), ""
        if kind == "dict":
            return xref, "V/"
        kind, value = document.xref_get_key(xref, "Parent")
        if kind != "xref":
            return None
        xref = int(value.split()[0])
    return None


def _string(document: Any, xref: int, path: str, key: str) -> str:
    kind, value = document.xref_get_key(xref, path + key)
    return value if kind == "string" else ""


def of_document(document: Any) -> Attachments:
    """Return the embedded files of a document, and whether it is a portfolio or an XFA form."""
    try:
        catalog = document.pdf_catalog()
        has_xfa = document.xref_get_key(catalog, "AcroForm/XFA")[0] != "null"
        renders = document.xref_get_key(catalog, "NeedsRendering")[1] == "true"
        is_placeholder = renders or not document.is_form_pdf
        portfolio = document.xref_get_key(catalog, "Collection")[0] != "null"
        places = _embedded(document)
    except mupdf.PAGE_ERRORS as error:
        raise_if_memory(error)
        return NONE
    found = _collected((partial(_file, place) for place in places), 0)
    return replace(found, portfolio=portfolio, xfa=(XFA_ONLY if is_placeholder else XFA_BESIDE) if has_xfa else "")


def _embedded(document: Any) -> list[Any]:
    """Return the embedded files of the whole name tree, which PyMuPDF reads only in part and with broken umlauts."""
    tree = api.pdf_load_name_tree(pymupdf._as_pdf_document(document), pymupdf.PDF_NAME("EmbeddedFiles"))
    return [api.pdf_dict_get_val(tree, at) for at in range(api.pdf_dict_len(tree))]


def _file(place: Any, number: int | None = None) -> Iterator[EmbeddedFile]:
    """Yield the file that a file specification embeds. Raises ValueError for one without content."""
    names = [api.pdf_to_text_string(api.pdf_dict_gets(place, key)) for key in ("UF", "F")]
    files = api.pdf_dict_gets(place, "EF")
    content = next((one for key in ("F", "UF") if (one := api.pdf_dict_gets(files, key)).m_internal), None)
    if content is None:
        raise ValueError("a file without content")
    name = _one_line(next(filter(None, names), "")) or UNNAMED_FILE
    yield EmbeddedFile(name, _size(api.pdf_dict_gets(content, "Params"), content), number)


def _size(parameters: Any, content: Any) -> int:
    """Return the size that an embedded file states, else the length of its packed content."""
    places = ((parameters, "Size"), (content, "DL"), (content, "Length"))
    sizes = (api.pdf_to_int(api.pdf_dict_gets(place, key)) for place, key in places)
    return next((size for size in sizes if size > 0), 0)


def _name(field: Any) -> str:
    """Return the label of a field, its own or its parent's, else its name."""
    labels = (api.pdf_to_text_string(api.pdf_dict_gets(one, "TU")) for one in _with_parents(field))
    return _one_line(next(filter(None, labels), "") or api.pdf_load_field_name(field) or "") or UNNAMED


def _with_parents(field: Any) -> Iterator[Any]:
    for _ in range(mupdf.DEEPEST):
        yield field
        field = api.pdf_dict_gets(field, "Parent")


def _one_line(text: str) -> str:
    return " ".join(_storable(text).split())


def _storable(text: str) -> str:
    """Replace NUL and lone surrogates, which stores do not accept, and write ends of lines in one way."""
    text = text.encode("utf-8", "replace").decode().replace("\0", "\ufffd")
    return text.replace("\r\n", "\n").replace("\r", "\n")
