"""Helpers for `pdf` jobs that need a provider."""

from pathlib import Path
from typing import Any

import pytest

from services.worker.errors import ProcessingError
from services.worker.run.workspace import Workspace
from tests.support.runs.pdf import run

TEXTS = ["First page", "Second page", "Third page", "Fourth page"]

WITH_PAGES = "mistral_ocr_with_pages"


def failed(place: Workspace, path: Path, method: str, **parameters: Any) -> ProcessingError:
    with pytest.raises(ProcessingError) as caught:
        run(place, path, method, **parameters)
    return caught.value
