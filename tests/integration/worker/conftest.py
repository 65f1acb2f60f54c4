"""A local Mistral server."""

from collections.abc import Iterator

import pytest

from tests.support.files.pdf import held_pdf
from tests.support.servers.mistral import (
    MistralServer,
)


@pytest.fixture
def server() -> Iterator[MistralServer]:
    with MistralServer() as running:
        yield running


@pytest.fixture
def held(site, tmp_path):
    """A document on a web site that is sent only when the test releases it."""
    page = held_pdf(site, tmp_path)
    yield page
    page.release()
