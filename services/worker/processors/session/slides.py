"""Slides, one per page of the attachment, and their table (docs/contract/secretary.md#session-run, step 7). Pure."""

import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

TITLE_CHARS = 120
SUMMARY_CHARS = 280
HEADING = re.compile(r"^#{1,6}\s+|^[-*+•]\s+|\*\*|__")
PICTURE = re.compile(r"!\[(?:(?!!\[)[^\]])*+\]\((?:(?!!\[)[^)])*+\)")
"""Neither text nor address contains the begin of another picture, so that an open one is not searched to the end."""


@dataclass(frozen=True, slots=True)
class Slide:
    """One page of the attachment. `page` counts from 1; `image_url` is empty without a preview."""

    page: int
    title: str
    summary: str
    text: str
    image_url: str

    def field(self) -> dict[str, Any]:
        """Return the slide as in the contract; its text is base64 of UTF-8."""
        return {
            "page_num": self.page,
            "title": self.title,
            "slide_text": base64.b64encode(self.text.encode()).decode(),
            "summary": self.summary,
            "image_url": self.image_url,
        }


def slides(texts: Mapping[int, str], links: Mapping[int, str], described: Any = None) -> tuple[Slide, ...]:
    """Return a slide for each page, in order.

    `described` is the answer of a chat model, `[{page_num, title, summary}]`. For a page without an entry, the title is
    the first line of the page and the summary the text after it.
    """
    entries = _by_page(described)
    return tuple(
        _slide(page, texts.get(page, ""), links.get(page, ""), entries.get(page, {})) for page in sorted(texts)
    )


def _slide(page: int, text: str, link: str, described: Mapping[str, Any]) -> Slide:
    title, summary = _heading_and_rest(text)
    return Slide(
        page=page,
        title=_line(described.get("title")) or title,
        summary=_line(described.get("summary")) or summary,
        text=text,
        image_url=link,
    )


def _by_page(described: Any) -> dict[int, Mapping[str, Any]]:
    """Return the valid entries of a model's answer by page; the answer may be anything."""
    entries = described if isinstance(described, Sequence) and not isinstance(described, str | bytes) else []
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
    filled = [line for line in lines if line]
    if not filled:
        return "", ""
    return shortened(filled[0], TITLE_CHARS), shortened(" ".join(filled[1:]), SUMMARY_CHARS)


def shortened(text: str, limit: int) -> str:
    """Cut a text to at most `limit` characters, between words and with an ellipsis."""
    if len(text) <= limit:
        return text
    head, _, _ = text[:limit].rpartition(" ")
    return f"{(head or text[: limit - 1]).rstrip(' ,;:.')}…"


def table(shown: Sequence[Slide]) -> str:
    """Return a Markdown table of two columns, the preview and `**title** — summary`; empty without slides."""
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
    """Escape text for a table cell."""
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("*", "\\*").replace("<", "&lt;")
