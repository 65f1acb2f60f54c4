"""A folder whose files the extraction reads."""

from pathlib import Path

import pytest

from tests.support.runs.extraction import Desk


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)
