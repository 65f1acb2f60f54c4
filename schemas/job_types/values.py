"""Types of values that several job types take: languages, names of templates, days. Format only.

Texts that every request may have are in `schemas.fields`.

A text that does not match gets a sentence, not a regular expression; the JSON Schema has the expression.
"""

import json
import re
from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, StringConstraints

from schemas.fields import matching

MAX_CONTEXT_BYTES: Final = 1024 * 1024  # docs/contract/secretary.md#limits


def _of_bounded_size(context: dict[str, Any]) -> dict[str, Any]:
    if len(json.dumps(context)) > MAX_CONTEXT_BYTES:
        raise ValueError(f"must not have more than {MAX_CONTEXT_BYTES:,} bytes as JSON")
    return context


def _shaped(pattern: str, sentence: str) -> AfterValidator:
    """Reject with `sentence` a text that does not match as a whole."""
    shape = re.compile(pattern)

    def check(value: str) -> str:
        if shape.fullmatch(value) is None:
            raise ValueError(sentence)
        return value

    return AfterValidator(check)


def _schema(pattern: str) -> Any:
    return matching(f"^{pattern}$")


def _day(value: str) -> str:
    date.fromisoformat(value)  # raises ValueError with the cause
    return value


_LANGUAGE: Final = r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*"
_TEMPLATE: Final = r"[A-Za-z0-9_-]+"
_FIELD: Final = r"[A-Za-z][A-Za-z0-9_]*"
_HASH: Final = r"([0-9A-Fa-f]{32}|[0-9A-Fa-f]{64})"
_DAY: Final = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_TIME: Final = r"([01][0-9]|2[0-3]):[0-5][0-9]"

Language = Annotated[
    str,
    StringConstraints(max_length=35),
    _shaped(_LANGUAGE, "must be the code of a language, such as de or de-AT"),
    _schema(_LANGUAGE),
]
"""A code such as `de` or `de-AT` (BCP 47)."""
TemplateName = Annotated[
    str,
    StringConstraints(max_length=255),
    _shaped(_TEMPLATE, "must be a template's name without folder or ending: letters, digits, _ and - only"),
    _schema(_TEMPLATE),
]
"""Never a path (docs/contract/secretary.md#templates)."""
FieldName = Annotated[
    str,
    StringConstraints(max_length=255),
    _shaped(_FIELD, "must be a field's name: a letter, then letters, digits and _ only"),
    _schema(_FIELD),
]
FileHash = Annotated[
    str,
    _shaped(_HASH, "must be the MD5 or the SHA-256 of the file, 32 or 64 hexadecimal digits"),
    AfterValidator(str.lower),
    _schema(_HASH),
]
Day = Annotated[
    str, _shaped(_DAY, "must be a day written YYYY-MM-DD, such as 2026-02-28"), AfterValidator(_day), _schema(_DAY)
]
Time = Annotated[str, _shaped(_TIME, "must be a time of day written HH:MM, such as 09:30"), _schema(_TIME)]
Context = Annotated[dict[str, Any], AfterValidator(_of_bounded_size)]
"""The variables of a template."""
OutputForm = Literal["text", "markdown", "html", "json"]
"""A form in which a document is written besides its text (docs/blocks.md)."""
OUTPUT_FILES: Final[Mapping[OutputForm, tuple[str, str]]] = {
    "text": ("text.txt", "text/plain; charset=utf-8"),
    "markdown": ("text.md", "text/markdown; charset=utf-8"),
    "html": ("document.html", "text/html; charset=utf-8"),
    "json": ("blocks.json", "application/json"),
}
"""The name and the media type of the file of each form."""
OUTPUT_DESCRIPTION: Final = (
    "also write the document in this form: as `structured_data.document`, and as a file `text.txt`, `text.md`, "
    "`document.html` or `blocks.json` among the assets"
)
