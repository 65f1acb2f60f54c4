"""Loads and parses templates for a run: one that cannot be read ends it with TEMPLATE_ERROR."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from piperoll import templates
from piperoll.templates import Template, TemplateReadError
from schemas.errors import ErrorCode
from services.worker.errors import ProcessingError


def load(names: str | tuple[str, ...], folder: Path | None = None) -> tuple[str, str]:
    """Return name and content of the first of `names` that exists. Raises ProcessingError TEMPLATE_ERROR."""
    with _ending_the_run():
        return templates.load(names, folder)


def parse(content: str) -> Template:
    """Parse a template. Raises ProcessingError TEMPLATE_ERROR."""
    with _ending_the_run():
        return templates.parse(content)


@contextmanager
def _ending_the_run() -> Iterator[None]:
    try:
        yield
    except TemplateReadError as error:
        raise ProcessingError(ErrorCode.TEMPLATE_ERROR, str(error), error_type=type(error).__name__) from error
