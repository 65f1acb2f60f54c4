"""Limits of a download: its size and its time."""

import socket
from pathlib import Path

import pytest

from piperoll.settings import Settings
from piperoll.store.blobs import Blobs
from schemas.errors import ErrorCode
from services.worker.errors import ProcessingError
from services.worker.fetch import guarded_connection as dialling
from services.worker.fetch.download import fetch
from services.worker.run.workspace import Limits, Workspace
from tests.support.runs.fetching import LOOPBACK, Fetch, refusal
from tests.support.servers.website import Website
from tests.support.waiting import PATIENCE_S


def test_a_gibibyte_is_cut_off_at_the_limit(get: Fetch, site: Website, tmp_path: Path) -> None:
    assert refusal(get, site.endless("/endless")) == (ErrorCode.FILE_TOO_LARGE, False)
    assert len(site.requests("/endless")) == 1
    assert sum(file.stat().st_size for file in (tmp_path / "scratch").iterdir()) <= 1_000_000


def test_a_long_download_reports_its_progress(tmp_path: Path, site: Website) -> None:
    heard: list[int] = []
    limits = Limits((), 1_000_000, 1, networks=LOOPBACK, fetch_timeout_s=PATIENCE_S)
    blobs = Blobs(f"file://{tmp_path}/blobs")
    workspace = Workspace("job-1", "run-1", "owner", 1, blobs, limits, tmp_path / "scratch")
    fetched = fetch(site.endless("/long", 500_000), workspace, beat=lambda: heard.append(1))
    assert fetched.size == 500_000 // 65536 * 65536
    assert len(heard) > 1


def test_a_size_that_is_announced_too_large_is_not_waited_for(get: Fetch, site: Website) -> None:
    assert refusal(get, site.announced("/large", 2_000_000)) == (ErrorCode.FILE_TOO_LARGE, False)


def test_a_small_body_that_inflates_is_cut_off_at_the_limit(get: Fetch, site: Website) -> None:
    assert refusal(get, site.bomb("/bomb", 50_000_000)) == (ErrorCode.FILE_TOO_LARGE, False)


@pytest.mark.parametrize("kind", ["slow", "drip"])
def test_a_server_that_takes_its_time_is_left(get: Fetch, site: Website, kind: str) -> None:
    url = site.slow("/late", 10 * PATIENCE_S) if kind == "slow" else site.drip("/late")
    assert refusal(get, url, fetch_timeout_s=0.5) == (ErrorCode.TIMEOUT, True)
    assert len(site.requests("/late")) == 1, "it is not asked a second time"


def test_a_silent_server_is_left_long_before_time_is_up(
    get: Fetch, site: Website, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A video may take half an hour, but not to begin: the worker's patience with a silent run is shorter."""
    monkeypatch.setattr(dialling, "SILENCE_S", 0.3)
    with pytest.raises(ProcessingError, match="does not respond") as failed:
        get(site.slow("/silent", 10 * PATIENCE_S), fetch_timeout_s=1800.0)
    assert (failed.value.code, failed.value.retryable) == (ErrorCode.TIMEOUT, True)


def test_silence_is_shorter_than_the_worker_s_patience_with_a_run() -> None:
    assert Settings.model_fields["stall_timeout_s"].default > dialling.SILENCE_S


@pytest.mark.parametrize("kind", ["cut", "gone"])
def test_a_connection_that_breaks_is_worth_another_attempt(get: Fetch, site: Website, kind: str) -> None:
    url = site.cut("/broken") if kind == "cut" else site.gone("/broken")
    assert refusal(get, url) == (ErrorCode.NETWORK_ERROR, True)


def test_a_refused_connection_is_worth_another_attempt(get: Fetch) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    assert refusal(get, f"http://127.0.0.1:{port}/") == (ErrorCode.NETWORK_ERROR, True)
