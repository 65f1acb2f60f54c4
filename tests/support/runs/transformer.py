"""Runs of the `transformer` processor in this process."""

from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

from piperoll.store.blobs import Blobs
from schemas.job_types.transformer import TransformerParameters
from services.worker.errors import ProcessingError
from services.worker.processors import transformer
from services.worker.providers import Providers
from services.worker.run.workspace import Limits, Result, Workspace
from tests.support.waiting import PATIENCE_S

SUMMARY = "We agreed to ship the importer on Friday. Grace showed the new dashboard."

PEOPLE = ["Ada Lovelace", "Grace Hopper"]


class Run:
    """A run of the processor: its workspace on this disk, and what it reported."""

    def __init__(self, folder: Path, providers: Providers, networks: str = "127.0.0.0/8") -> None:
        self.reports: list[tuple[str, int]] = []
        self.workspace = Workspace(
            job_id="job-1",
            run="run-1",
            owner="owner",
            attempt=1,
            blobs=Blobs(f"file://{folder}/blobs"),
            limits=Limits((), 1_000_000, 10, networks=(ip_network(networks),), fetch_timeout_s=PATIENCE_S),
            scratch=folder / "scratch",
            providers=providers,
        )

    def __call__(self, **parameters: Any) -> Result:
        known = {"source_language": "en", "target_language": "en"}
        return transformer.process(
            TransformerParameters.model_validate(known | parameters), self.workspace, self._report
        )

    def _report(self, step: str, percent: int, *_: Any, **__: Any) -> None:
        self.reports.append((step, percent))

    def kept(self, name: str) -> str:
        return self.workspace.blobs.get(f"job-1/run-1/{name}").decode()


def failure(run: Run, **parameters: Any) -> ProcessingError:
    with pytest.raises(ProcessingError) as failed:
        run(**parameters)
    assert len(failed.value.message.split()) >= 4
    return failed.value
