"""A web site, and downloads from it."""

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from piperoll.store.blobs import Blobs
from services.worker.fetch.download import Download, fetch
from services.worker.run.workspace import Limits, Workspace
from tests.support.runs.fetching import LOOPBACK, Fetch
from tests.support.servers.website import Website
from tests.support.waiting import PATIENCE_S


@pytest.fixture
def site() -> Iterator[Website]:
    with Website() as running:
        yield running


@pytest.fixture
def get(tmp_path: Path) -> Fetch:
    """`get(url, **limits)`: fetches with loopback allowed."""

    def call(url: str, lookup: Any = socket.getaddrinfo, **changed: Any) -> Download:
        known = {
            "roots": (),
            "max_bytes": 1_000_000,
            "max_pages": 1,
            "networks": LOOPBACK,
            "fetch_timeout_s": PATIENCE_S,
        }
        workspace = Workspace(
            job_id="job-1",
            run="run-1",
            owner="owner",
            attempt=1,
            blobs=Blobs(f"file://{tmp_path}/blobs"),
            limits=Limits(**(known | changed)),
            scratch=tmp_path / "scratch",
        )
        return fetch(url, workspace, lookup=lookup)

    return call
