"""What tests of the Devana API share."""

from pathlib import Path
from uuid import uuid4

import pytest

from tests.support.clients.customer import Customer
from tests.support.stacks.system import System


@pytest.fixture
async def customer(system: System, source: str, tmp_path: Path) -> Customer:
    """An owner with a key of its own, who runs the programs of `source`."""
    return Customer(system, await system.create_key(f"customer-{uuid4().hex[:8]}"), tmp_path, source)
