"""An API whose limits and examples are tried."""

from collections.abc import AsyncIterator

import pytest

from services.api.read_model.catching_up import CatchingUp
from tests.support.stacks.memory_api import MemoryApi, memory_api


@pytest.fixture(scope="module")
async def api(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[MemoryApi]:
    async def at_once(self: CatchingUp) -> bool:
        return False

    large = {"max_body_bytes": 2_000_000, "max_upload_bytes": 2_000_000}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(CatchingUp, "briefly", at_once)  # lists would wait for a projector that is not there
        folder = tmp_path_factory.mktemp("document")
        async with memory_api(folder, read_deadline_s=0.05, document_wait_s=0.05, **large) as made:
            yield made
