"""Runs of the `transformer` processor without a provider."""

from pathlib import Path

import pytest

from services.worker.providers import Providers
from tests.support.runs.transformer import Run


@pytest.fixture
def offline(tmp_path: Path) -> Run:
    return Run(tmp_path, Providers())
