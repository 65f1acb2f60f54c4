"""What tests of the commands share."""

from pathlib import Path

import pytest

from tests.support.stacks.system import System


@pytest.fixture
def folder(system: System) -> Path:
    """The data folder by which commands find the stack."""
    return system.stack.data_dir
