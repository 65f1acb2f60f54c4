"""What unit tests share beyond the fixtures of all tests."""

from collections.abc import Iterator

import pytest

from tests.support.servers.mistral import MistralServer


@pytest.fixture
def mistral() -> Iterator[MistralServer]:
    """A server that speaks Mistral's wire format, of each test's own: its answers may be changed for good."""
    with MistralServer() as running:
        yield running
