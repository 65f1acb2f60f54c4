"""Calls of the Mistral provider for tests."""

from collections.abc import Callable
from typing import Any

import pytest

from services.worker.errors import ProcessingError
from services.worker.providers import Providers, ProviderSetup
from tests.support.servers.mistral import (
    KEY,
    MistralServer,
)

Call = Callable[[Providers], Any]


def providers(server: MistralServer, **changed: Any) -> Providers:
    return Providers(ProviderSetup(mistral_key=KEY, mistral_url=server.url).model_copy(update=changed))


def fill(given: Providers) -> Any:
    return given.chat_json("Answer in JSON.", "Hello")


def failure(call: Call, given: Providers) -> ProcessingError:
    with pytest.raises(ProcessingError) as failed:
        call(given)
    assert KEY not in failed.value.message
    return failed.value
