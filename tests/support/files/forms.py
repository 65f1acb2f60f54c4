"""PDFs with fields, comments, signatures and embedded files."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pymupdf

Draw = Callable[[Any], None]


def form(path: Path, *draws: Draw) -> Path:
    """A PDF of one page, on which these draw."""
    with pymupdf.open() as document:
        page = document.new_page()
        for draw in draws:
            draw(page)
        document.save(path)
    return path


def boxes(states: Mapping[str, bool]) -> Draw:
    """Check boxes with their names beside them."""

    def draw(page: Any) -> None:
        for number, (name, ticked) in enumerate(states.items()):
            top = 50 + 30 * number
            page.insert_text((80, top + 12), name)
            _add(page, pymupdf.PDF_WIDGET_TYPE_CHECKBOX, name, "Yes" if ticked else "Off", (50, top, 62, top + 12))

    return draw


def entry(name: str, value: str, label: str = "") -> Draw:
    """A text field."""
    return lambda page: _add(page, pymupdf.PDF_WIDGET_TYPE_TEXT, name, value, (50, 400, 300, 420), label)


def choice(name: str, value: str) -> Draw:
    """A list of which one entry is chosen."""
    return lambda page: _add(
        page, pymupdf.PDF_WIDGET_TYPE_COMBOBOX, name, value, (50, 450, 300, 470), choices=["red", value]
    )


def _add(page: Any, kind: int, name: str, value: str, box: Any, label: str = "", choices: Any = None) -> None:
    field = pymupdf.Widget()
    field.field_type, field.field_name, field.field_value, field.rect = kind, name, value, pymupdf.Rect(box)
    field.field_label = label or None
    field.choice_values = choices
    page.add_widget(field)


def signed(name: str, value: str) -> Draw:
    """A signature field with this value, an object of PDF; an empty one is not signed."""

    def draw(page: Any) -> None:
        document = page.parent
        field, held = document.get_new_xref(), document.get_new_xref()
        document.update_object(held, value or "null")
        place = "/Type/Annot/Subtype/Widget/FT/Sig/Rect[50 50 200 90]/F 4"
        document.update_object(field, f"<<{place}/T({name}){f'/V {held} 0 R' if value else ''}>>")
        document.xref_set_key(page.xref, "Annots", f"[{field} 0 R]")
        document.xref_set_key(document.pdf_catalog(), "AcroForm", f"<</Fields[{field} 0 R]/SigFlags 3>>")

    return draw


def xfa(fields: bool, rendering: bool) -> Draw:
    """An XFA form, with or without fields of its own on the pages."""

    def draw(page: Any) -> None:
        document = page.parent
        form_xref = document.get_new_xref()
        document.update_object(form_xref, "<<>>")
        document.update_stream(form_xref, b"<xdp:xdp xmlns:xdp='http://ns.adobe.com/xdp/'/>")
        if fields:
            entry("City", "Bremen")(page)
            document.xref_set_key(document.pdf_catalog(), "AcroForm/XFA", f"{form_xref} 0 R")
        else:
            document.xref_set_key(document.pdf_catalog(), "AcroForm", f"<</Fields[]/XFA {form_xref} 0 R>>")
        if rendering:
            document.xref_set_key(document.pdf_catalog(), "NeedsRendering", "true")
        page.insert_text((50, 50), "Please wait...")

    return draw


def written(*members: str) -> Draw:
    """Annotations and fields as objects of PDF, besides those of the page."""

    def draw(page: Any) -> None:
        document = page.parent
        places = []
        for member in members:
            places.append(document.get_new_xref())
            document.update_object(places[-1], f"<</Type/Annot/Rect[50 50 90 90]/F 4{member}>>")
        before = document.xref_get_key(page.xref, "Annots")[1].strip("[]").replace("null", "")
        document.xref_set_key(page.xref, "Annots", f"[{before} {' '.join(f'{place} 0 R' for place in places)}]")

    return draw
