"""New code over an old data folder: `piperoll up` comes up over what an earlier state left when it was killed.

The recording is in tests/golden/states; ids below are those of its jobs. `CLI` is started as `piperoll up` starts it.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import uuid4

import httpx
import pytest

from piperoll.cli.tables import discard_other_read_model
from piperoll.embedded.stack import Stack, StackOptions
from piperoll.settings import Settings
from tests.support.clients.commands import piperoll
from tests.support.golden.data_folder import RecordedFolder
from tests.support.servers.receiver import Receiver
from tests.support.stacks.system import System
from tests.support.waiting import PATIENCE_S, wait_until

KEY = "pr_a.key-of-the-old-folder"


@dataclass(frozen=True)
class Recorded:
    """The subjects of one recording."""

    done: str
    failed: str
    keyed: str
    erased: str
    cancelled: str
    batch: str
    document: str
    folder: str
    later: str
    running: str
    waiting: str


STATES = {
    "2026-11-22": Recorded(
        done="job-949f5325-ce30-4d9e-a880-7d8bf1e725c6",
        failed="job-5b9817c8-0e87-467a-8d47-8831ee54bff9",
        keyed="job-bd001ee1-5490-5162-b767-66130794aa72",
        erased="job-2888c22d-4326-4284-acb6-325f96c5fb0c",
        cancelled="job-766c52bc-e499-4cf6-b25f-725c321235e3",
        batch="batch-111dfc80-0998-4b92-83d8-8324375627b1",
        document="doc-646a624c-be56-46ea-af5d-0c64c9040700",
        folder="folder-167b0302-5306-4df6-8c85-b56de8557ebf",
        later="job-a72aba8e-0a7b-4e33-a3eb-3821b9aee59d",
        running="job-a411d990-3a29-4a58-a87e-73150ddf4778",
        waiting="job-f3f0046c-75ea-422f-9e38-05b2261296fb",
    ),
}


@pytest.fixture(scope="module", params=STATES)
async def upgraded(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[System, Recorded]]:
    """The services of today over the recorded folder."""
    recorded, data_dir = RecordedFolder.of(request.param), tmp_path_factory.mktemp("old") / "data"
    recorded.write_secrets(data_dir)
    async with Receiver() as receiver:

        async def prepare(settings: Settings) -> str | None:
            await recorded.lay_down(settings, data_dir, receiver.origin)
            return await discard_other_read_model(settings)

        options = StackOptions(extra_env={"PIPEROLL_ENABLE_NOOP": "true", "PIPEROLL_SLOTS": "2"}, prepare=prepare)
        async with Stack(data_dir, options) as stack:
            await stack.wait_ready(PATIENCE_S)
            headers = {"Authorization": f"Bearer {KEY}"}
            async with httpx.AsyncClient(base_url=stack.api_url, headers=headers, timeout=60) as client:
                await wait_until(lambda: is_projected(client), PATIENCE_S, "the old log to be projected")
                yield System(stack, client, receiver, data_dir), STATES[request.param]


async def is_projected(client: httpx.AsyncClient) -> bool:
    """What does not exist is answered as such only once the log up to its present end was projected."""
    nothing = (f"/api/jobs/job-{uuid4()}", f"/v1/documents/doc-{uuid4()}")
    return [(await client.get(path)).status_code for path in nothing] == [404, 404]


async def test_old_jobs_and_documents_are_readable(upgraded: tuple[System, Recorded]) -> None:
    system, old = upgraded
    assert (await system.job(old.done))["status"] == "completed"
    assert (await system.job(old.done))["results"]["structured_data"] == {"behaviour": "succeed", "attempt": 1}
    assert (await system.job(old.failed))["error"]["code"] == "PROCESSING_ERROR"
    assert (await system.job(old.cancelled))["error"]["code"] == "CANCELLED"
    assert (await system.client.get(f"/api/jobs/{old.erased}")).status_code == 404
    batch = await system.batch(old.batch)
    assert (batch["status"], batch["job_count"], batch["completed_count"]) == ("completed", 3, 3)
    document = (await system.client.get(f"/v1/documents/{old.document}")).json()["data"]
    assert document["text"] == "The old folder holds this note."
    assert (await system.client.get(f"/v1/folders/{old.folder}")).json()["data"]["name"] == "Letters"


async def test_an_old_idempotency_key_returns_the_old_job(upgraded: tuple[System, Recorded]) -> None:
    system, old = upgraded
    body = {"job_type": "noop", "parameters": {}}
    assert (await system.post("/api/jobs/", body, **{"Idempotency-Key": "first"}))["job_id"] == old.keyed


async def test_old_unfinished_jobs_are_finished_and_their_webhooks_sent(upgraded: tuple[System, Recorded]) -> None:
    system, old = upgraded
    running = await system.wait_for_end(old.running)
    assert (running["status"], running["attempt"]) == ("completed", 2)
    assert (await system.wait_for_end(old.waiting))["status"] == "completed"
    hooks = await system.wait_for_final_hooks([old.running, old.waiting, old.later])
    assert len({hook["webhook-id"] for hook in hooks[old.later]}) == 1
    (later,) = system.receiver.at("/later")
    assert later.headers["Authorization"] == "Bearer sealed two", "a token that was sealed then is opened"
    assert {one.path for one in system.receiver.received} == {"/later", "/running", "/waiting"}, "nothing is repeated"
    assert all("webhook-signature" in {name.lower() for name in one.headers} for one in system.receiver.received)


async def test_a_browser_signs_in_by_a_link(upgraded: tuple[System, Recorded]) -> None:
    system, old = upgraded
    nonce = (await system.post("/api/session/nonces", None))["nonce"]
    async with httpx.AsyncClient(base_url=system.stack.api_url) as browser:
        assert (await browser.post("/api/session", json={"nonce": nonce})).status_code == 200
        assert (await browser.get(f"/api/jobs/{old.done}")).status_code == 200


async def test_the_worker_continues_from_the_old_checkpoints(upgraded: tuple[System, Recorded]) -> None:
    system, _ = upgraded
    log = system.stack.data_dir / "logs" / "worker.log"

    def live() -> bool:
        return log.read_text().count("partition_live") >= StackOptions().partitions

    await wait_until(live, PATIENCE_S, "the worker to have read every partition")
    assert "checkpoint_passed_over" not in log.read_text()


async def test_the_upgraded_installation_verifies(upgraded: tuple[System, Recorded]) -> None:
    system, old = upgraded
    await system.wait_for_final_hooks([old.running, old.waiting, old.later])
    report = await system.verify()
    assert report.violations == []
    done = await piperoll("verify", folder=system.stack.data_dir)
    assert done.code == 0, done
