"""What tests of API keys share."""

from collections.abc import AsyncIterator
from unittest.mock import patch

import pytest

from services.api.audit import recorder
from tests.support.stacks.api import Api, serving

READS_S = 1.0  # until what was read is a fact


@pytest.fixture(scope="module")
async def api(environment: dict[str, str]) -> AsyncIterator[Api]:
    """An API that remembers keys for a day: what it knows at once, it knows by itself."""
    with patch.object(recorder, "INTERVAL_S", READS_S):
        async with serving({**environment, "PIPEROLL_KEY_CACHE_S": "86400"}) as serving_api:
            yield serving_api
