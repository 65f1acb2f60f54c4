"""Load templates by name: from the operator's folder first, then from those shipped with the worker."""

import re
from pathlib import Path

from schemas.errors import ErrorCode
from services.worker.errors import ProcessingError

SHIPPED = Path(__file__).parent / "shipped"
NAME = re.compile(r"[A-Za-z0-9_-]+")
MAX_BYTES = 1024 * 1024  # docs/contract/secretary.md#limits


def load(names: str | tuple[str, ...], folder: Path | None = None) -> tuple[str, str]:
    """Return name and content of the first of `names` that exists. Raises ProcessingError TEMPLATE_ERROR."""
    wanted = (names,) if isinstance(names, str) else names
    for name in wanted:
        if not NAME.fullmatch(name):
            raise _error(f"The template name {name[:80]!r} is invalid: it may contain only letters, digits, _ and -.")
        for place in (folder, SHIPPED):
            if place is not None and (path := place / f"{name}.md").is_file():
                return name, _read(path)
    raise _error(f"The template {wanted[0]!r} does not exist. Existing templates: {', '.join(available(folder))}.")


def available(folder: Path | None = None) -> list[str]:
    """Return the sorted names of all templates."""
    places = [place for place in (folder, SHIPPED) if place is not None and place.is_dir()]
    return sorted({path.stem for place in places for path in place.glob("*.md") if NAME.fullmatch(path.stem)})


def _read(path: Path) -> str:
    try:
        content = path.read_bytes()
        if len(content) > MAX_BYTES:
            raise _error(f"The template {path.stem!r} has more than {MAX_BYTES:,} bytes.")
        return content.decode()
    except (OSError, UnicodeDecodeError) as error:
        raise _error(f"The template {path.stem!r} cannot be read: it is not UTF-8 text.") from error


def _error(message: str) -> ProcessingError:
    return ProcessingError(ErrorCode.TEMPLATE_ERROR, message, error_type="TemplateReadError")
