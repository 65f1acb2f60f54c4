"""A workspace for runs of the `pdf` processor."""

from pathlib import Path

import pytest

from services.worker.providers import Providers, ProviderSetup
from services.worker.run.workspace import Workspace
from tests.support.runs.keyed_pdf import TEXTS
from tests.support.runs.pdf import typed
from tests.support.runs.pdf import workspace as make_workspace
from tests.support.servers.mistral import KEY, MistralServer
from tests.support.waiting import PATIENCE_S


@pytest.fixture
def workspace(tmp_path):
    return make_workspace(tmp_path)


@pytest.fixture
def place(tmp_path: Path, mistral: MistralServer) -> Workspace:
    return make_workspace(
        tmp_path, Providers(ProviderSetup(mistral_key=KEY, mistral_url=mistral.url, timeout_s=PATIENCE_S))
    )


@pytest.fixture
def document(tmp_path: Path) -> Path:
    return typed(tmp_path / "in" / "a.pdf", TEXTS)
