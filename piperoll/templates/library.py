"""Finds templates by name: in the operator's folder first, then among those shipped."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from piperoll.templates.engine import TemplateReadError, parse

SHIPPED = Path(__file__).parent / "shipped"
NAME = re.compile(r"[A-Za-z0-9_-]+")
MAX_BYTES = 1024 * 1024  # docs/contract/secretary.md#limits


@dataclass(frozen=True, slots=True)
class ListedTemplate:
    """A template with its text. `own`: it is the operator's. `fields` maps names to instructions.

    `problem` is a sentence if jobs cannot use it; then it has no fields, and no text if that cannot be read.
    """

    name: str
    own: bool
    content: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)
    problem: str | None = None


def load(names: str | tuple[str, ...], folder: Path | None = None) -> tuple[str, str]:
    """Return name and content of the first of `names` that exists. Raises TemplateReadError."""
    wanted = (names,) if isinstance(names, str) else names
    for name in wanted:
        if not NAME.fullmatch(name):
            raise TemplateReadError(
                f"The template name {name[:80]!r} is invalid: it may contain only letters, digits, _ and -."
            )
        if (path := _place(name, folder)) is not None:
            return name, _read(path)
    known = ", ".join(available(folder))
    raise TemplateReadError(f"The template {wanted[0]!r} does not exist. Existing templates: {known}.")


def available(folder: Path | None = None) -> list[str]:
    """Return the sorted names of all templates."""
    places = [place for place in (folder, SHIPPED) if place is not None and place.is_dir()]
    return sorted({path.stem for place in places for path in place.glob("*.md") if NAME.fullmatch(path.stem)})


def listed(folder: Path | None = None) -> Iterator[ListedTemplate]:
    """Yield all templates by name, also those that jobs cannot use."""
    for name in available(folder):
        if (path := _place(name, folder)) is not None:  # None: removed meanwhile
            yield _listed(name, path)


def _listed(name: str, path: Path) -> ListedTemplate:
    own, content = path.parent != SHIPPED, ""
    try:
        content = _read(path)
        return ListedTemplate(name, own, content, parse(content).fields)
    except TemplateReadError as error:
        return ListedTemplate(name, own, content, problem=str(error))


def _place(name: str, folder: Path | None) -> Path | None:
    paths = (place / f"{name}.md" for place in (folder, SHIPPED) if place is not None)
    return next((path for path in paths if path.is_file()), None)


def _read(path: Path) -> str:
    try:
        content = path.read_bytes()
        if len(content) > MAX_BYTES:
            raise TemplateReadError(f"The template {path.stem!r} has more than {MAX_BYTES:,} bytes.")
        return content.decode()
    except (OSError, UnicodeDecodeError) as error:
        raise TemplateReadError(f"The template {path.stem!r} cannot be read: it is not UTF-8 text.") from error
