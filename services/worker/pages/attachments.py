"""What a PDF has beside the content of its pages: form fields, comments, signatures, embedded files, XFA. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

FieldKind = Literal["text", "choice", "check_box", "radio_button"]

NAMED_FILES: Final = 20  # of the embedded files in a message
NAMED_PAGES: Final = 20
TICKED, NOT_TICKED = "yes", "no"
XFA_ONLY: Final = (
    "The PDF is an XFA form: its contents are made by Adobe's programs alone, and the pages have only a placeholder."
)
XFA_BESIDE: Final = "The PDF has an XFA form beside its pages; what stands in the XFA form alone was not read."


@dataclass(frozen=True, slots=True)
class FormField:
    """A field of a form: its label or name, and its value; of a check box `yes` or `no`."""

    page: int
    name: str
    kind: FieldKind
    value: str


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment on a page, by an `author`, who may be unnamed."""

    page: int
    author: str
    text: str


@dataclass(frozen=True, slots=True)
class Signature:
    """A signed field, and what it states: who signed and on which day (ISO 8601), if known. It is not verified."""

    page: int
    name: str
    signer: str
    date: str


@dataclass(frozen=True, slots=True)
class EmbeddedFile:
    """A file in the PDF, of `size` bytes; `page` if it is attached to a place on a page."""

    name: str
    size: int
    page: int | None = None


@dataclass(frozen=True, slots=True)
class Attachments:
    """What a page, or a whole document, has beside its content.

    `unread` are the pages where a part of it cannot be read; 0 is the document.
    """

    fields: tuple[FormField, ...] = ()
    comments: tuple[Comment, ...] = ()
    signatures: tuple[Signature, ...] = ()
    files: tuple[EmbeddedFile, ...] = ()
    portfolio: bool = False
    xfa: str = ""
    unread: tuple[int, ...] = ()

    def metadata(self) -> dict[str, Any]:
        """Return what there is as JSON."""
        parts: dict[str, tuple[Any, ...]] = {
            "form_fields": self.fields,
            "comments": self.comments,
            "signatures": self.signatures,
            "embedded_files": self.files,
        }
        return {name: [asdict(one) for one in found] for name, found in parts.items() if found}

    def warnings(self) -> Iterator[str]:
        """Yield sentences about what the text of the pages lacks."""
        if self.xfa:
            yield self.xfa
        if self.files:
            what = "is a portfolio" if self.portfolio else "has embedded files"
            yield f"The PDF {what}; not read were {_named(self.files)}."
        for one in self.signatures:
            by, on = f" by {one.signer}" if one.signer else "", f" on {one.date}" if one.date else ""
            yield f"Page {one.page} is signed{by}{on} in the field {one.name}; the signature was not verified."
        if 0 in self.unread:
            yield "An embedded file of the PDF cannot be read, not even its name."
        if pages := [str(page) for page in self.unread if page]:
            yield f"A form field, comment or attached file cannot be read on page {', '.join(pages[:NAMED_PAGES])}."


def joined(parts: Sequence[Attachments]) -> Attachments:
    """Return what several pages and the document have, as one."""
    return Attachments(
        tuple(one for part in parts for one in part.fields),
        tuple(one for part in parts for one in part.comments),
        tuple(one for part in parts for one in part.signatures),
        tuple(one for part in parts for one in part.files),
        any(part.portfolio for part in parts),
        next((part.xfa for part in parts if part.xfa), ""),
        tuple(page for part in parts for page in part.unread),
    )


def with_attachments(text: str, attached: Attachments) -> str:
    """Return a page's text, and below it the states of its boxes, values and comments that the text lacks."""
    words = _in_one_line(text)
    lines = [f"{one.name}: {one.value}" for one in attached.fields if _is_missing(one, words)]
    lines += [
        f"Comment{f' by {one.author}' if one.author else ''}: {one.text}"
        for one in attached.comments
        if _in_one_line(one.text) not in words
    ]
    return "\n\n".join(part for part in (text.strip(), "\n".join(lines)) if part)


def _is_missing(field: FormField, words: str) -> bool:
    return field.kind in ("check_box", "radio_button") or (bool(field.value) and _in_one_line(field.value) not in words)


def _in_one_line(text: str) -> str:
    return " ".join(text.split())


def _named(files: Sequence[EmbeddedFile]) -> str:
    shown = ", ".join(f"{one.name} ({one.size:,} bytes)" for one in files[:NAMED_FILES])
    return f"{shown} and {len(files) - NAMED_FILES:,} more" if len(files) > NAMED_FILES else shown
