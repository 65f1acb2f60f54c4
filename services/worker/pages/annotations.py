"""Form fields, comments, signatures and embedded files of a PDF, by MuPDF (ISO 32000-1, 7.11.4, 12.5, 12.7).

Import this module in a child process only, as `mupdf`.
"""

import re
from collections.abc import Iterator
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

KINDS: Final[dict[int, FieldKind]] = {
    pymupdf.PDF_WIDGET_TYPE_TEXT: "text",
    pymupdf.PDF_WIDGET_TYPE_COMBOBOX: "choice",
    pymupdf.PDF_WIDGET_TYPE_LISTBOX: "choice",
    pymupdf.PDF_WIDGET_TYPE_CHECKBOX: "check_box",
    pymupdf.PDF_WIDGET_TYPE_RADIOBUTTON: "radio_button",
}
OFF: Final = ("", "Off", "None", "False")
DEEPEST: Final = 20  # levels of a field's parents
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
        if page.first_annot is None and page.first_widget is None:
            return NONE
        widgets, annotations = list(page.widgets()), list(page.annots())
        return Attachments(
            tuple(_fields(widgets, number)),
            tuple(_comments(annotations, number)),
            tuple(_signatures(document, widgets, number)),
            tuple(_attached(annotations, number)),
        )
    except mupdf.PAGE_ERRORS as error:
        raise_if_memory(error)
        return NONE


def _fields(widgets: list[Any], number: int) -> Iterator[FormField]:
    """Yield the fields of a page; of a group of radio buttons the chosen one."""
    for widget in widgets:
        kind = KINDS.get(widget.field_type)
        value = "" if widget.field_value is None else str(widget.field_value)
        name = _name(widget)
        if kind == "check_box":
            yield FormField(number, name, kind, NOT_TICKED if value in OFF else TICKED)
        elif kind == "radio_button":
            if value not in OFF and value == str(widget.on_state()):
                yield FormField(number, name, kind, _one_line(value))
        elif kind is not None:
            yield FormField(number, name, kind, _storable(value).strip())


def _comments(annotations: list[Any], number: int) -> Iterator[Comment]:
    for annotation in annotations:
        text = _storable(annotation.info.get("content") or "").strip()
        if text and annotation.type[0] not in (pymupdf.PDF_ANNOT_LINK, pymupdf.PDF_ANNOT_POPUP):
            yield Comment(number, _one_line(annotation.info.get("title") or ""), text)


def _signatures(document: Any, widgets: list[Any], number: int) -> Iterator[Signature]:
    for widget in widgets:
        if widget.field_type == pymupdf.PDF_WIDGET_TYPE_SIGNATURE and (place := _value(document, widget.xref)):
            date = DAY.match(_string(document, *place, "M"))
            signer = _one_line(_string(document, *place, "Name"))
            yield Signature(number, _name(widget), signer, "-".join(date.groups()) if date else "")


def _value(document: Any, xref: int) -> tuple[int, str] | None:
    """Return where a field's value is, its own or its parent's: an object and a path in it; None without one."""
    for _ in range(DEEPEST):
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


def _attached(annotations: list[Any], number: int) -> Iterator[EmbeddedFile]:
    for annotation in annotations:
        if annotation.type[0] == pymupdf.PDF_ANNOT_FILE_ATTACHMENT:
            info = annotation.file_info
            yield EmbeddedFile(_one_line(info["filename"]), max(0, info["size"]), number)


def of_document(document: Any) -> Attachments:
    """Return the embedded files of a document, and whether it is a portfolio or an XFA form."""
    try:
        catalog = document.pdf_catalog()
        has_xfa = document.xref_get_key(catalog, "AcroForm/XFA")[0] != "null"
        renders = document.xref_get_key(catalog, "NeedsRendering")[1] == "true"
        is_placeholder = renders or not document.is_form_pdf
        return Attachments(
            files=tuple(_embedded(document)),
            portfolio=document.xref_get_key(catalog, "Collection")[0] != "null",
            xfa=(XFA_ONLY if is_placeholder else XFA_BESIDE) if has_xfa else "",
        )
    except mupdf.PAGE_ERRORS as error:
        raise_if_memory(error)
        return NONE


def _embedded(document: Any) -> Iterator[EmbeddedFile]:
    """Yield the embedded files of the whole name tree, which PyMuPDF reads only in part and with broken umlauts."""
    mupdf_api = pymupdf.mupdf
    tree = mupdf_api.pdf_load_name_tree(pymupdf._as_pdf_document(document), pymupdf.PDF_NAME("EmbeddedFiles"))
    for number in range(mupdf_api.pdf_dict_len(tree)):
        place = mupdf_api.pdf_dict_get_val(tree, number)
        names = [mupdf_api.pdf_to_text_string(mupdf_api.pdf_dict_gets(place, key)) for key in ("UF", "F")]
        files = mupdf_api.pdf_dict_gets(place, "EF")
        content = next((one for key in ("F", "UF") if (one := mupdf_api.pdf_dict_gets(files, key)).m_internal), None)
        if content is not None:
            name = _one_line(next(filter(None, names), "")) or UNNAMED_FILE
            yield EmbeddedFile(name, _size(mupdf_api.pdf_dict_gets(content, "Params"), content))


def _size(parameters: Any, content: Any) -> int:
    """Return the size that an embedded file states, else the length of its packed content."""
    places = ((parameters, "Size"), (content, "DL"), (content, "Length"))
    sizes = (pymupdf.mupdf.pdf_to_int(pymupdf.mupdf.pdf_dict_gets(place, key)) for place, key in places)
    return next((size for size in sizes if size > 0), 0)


def _name(widget: Any) -> str:
    return _one_line(widget.field_label or widget.field_name or "") or UNNAMED


def _one_line(text: str) -> str:
    return " ".join(_storable(text).split())


def _storable(text: str) -> str:
    """Replace NUL and lone surrogates, which stores do not accept, and write ends of lines in one way."""
    text = text.encode("utf-8", "replace").decode().replace("\0", "\ufffd")
    return text.replace("\r\n", "\n").replace("\r", "\n")
