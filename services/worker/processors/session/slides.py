"""Slides: what each page of the attachment is about, and the table that shows them (contract 13, step 7). Pure."""

import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

TITLE_CHARS = 120
SUMMARY_CHARS = 280
HEADING = re.compile(r"^#{1,6}\s+|^[-*+•]\s+|\*\*|__")
PICTURE = re.compile(r"!\[[^\]]*\]\([^)]*\)")


@dataclass(frozen=True, slots=True)
class Slide:
    """One page of the attachment. `page` counts from 1; `image_url` is empty where no preview could be drawn."""

    page: int
    title: str
    summary: str
    text: str
    image_url: str

    def field(self) -> dict[str, Any]:
        """The slide as the contract lists it; its text is base64 of UTF-8."""
        return {
            "page_num": self.page,
            "title": self.title,
            "slide_text": base64.b64encode(self.text.encode()).decode(),
            "summary": self.summary,
            "image_url": self.image_url,
        }


def slides(texts: Mapping[int, str], links: Mapping[int, str], told: Any = None) -> tuple[Slide, ...]:
    """A slide for each page, in order.

    `told` is what a chat model said of them, `[{page_num, title, summary}]`. For a page that it left out, the first
    line of the page is its title and the text after that its summary: nothing is made up.
    """
    known = _by_page(told)
    return tuple(_slide(page, texts.get(page, ""), links.get(page, ""), known.get(page, {})) for page in sorted(texts))


def _slide(page: int, text: str, link: str, told: Mapping[str, Any]) -> Slide:
    title, summary = _heading_and_rest(text)
    return Slide(
        page=page,
        title=_line(told.get("title")) or title,
        summary=_line(told.get("summary")) or summary,
        text=text,
        image_url=link,
    )


def _by_page(told: Any) -> dict[int, Mapping[str, Any]]:
    """What a model answered, as far as it makes sense: it may answer anything."""
    entries = told if isinstance(told, Sequence) and not isinstance(told, str | bytes) else []
    found: dict[int, Mapping[str, Any]] = {}
    for entry in entries:
        number = _number(entry.get("page_num")) if isinstance(entry, Mapping) else None
        if number is not None:
            found.setdefault(number, entry)
    return found


def _number(value: Any) -> int | None:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    return int(value) if isinstance(value, str) and re.fullmatch(r"[0-9]{1,6}", value.strip()) else None


def _line(value: Any) -> str:
    return " ".join(value.split()) if isinstance(value, str) else ""


def _heading_and_rest(text: str) -> tuple[str, str]:
    lines = [_line(HEADING.sub("", PICTURE.sub("", line).strip())) for line in text.splitlines()]
    said = [line for line in lines if line]
    if not said:
        return "", ""
    return shortened(said[0], TITLE_CHARS), shortened(" ".join(said[1:]), SUMMARY_CHARS)


def shortened(text: str, limit: int) -> str:
    """At most `limit` characters, cut between words, with an ellipsis where something was cut."""
    if len(text) <= limit:
        return text
    head, _, _ = text[:limit].rpartition(" ")
    return f"{(head or text[: limit - 1]).rstrip(' ,;:.')}…"


def table(shown: Sequence[Slide]) -> str:
    """Two columns of Markdown, the preview and `**title** — summary`; empty without slides."""
    if not shown:
        return ""
    rows = [f"| {_picture(slide)} | {_words(slide)} |" for slide in shown]
    return "\n".join(["|  |  |", "| --- | --- |", *rows])


def _picture(slide: Slide) -> str:
    return f"![{slide.page}]({slide.image_url})" if slide.image_url else str(slide.page)


def _words(slide: Slide) -> str:
    title = f"**{_cell(slide.title)}**" if slide.title else ""
    return " — ".join(part for part in (title, _cell(slide.summary)) if part)


def _cell(text: str) -> str:
    """Text that neither ends a cell nor becomes HTML."""
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("*", "\\*").replace("<", "&lt;")
