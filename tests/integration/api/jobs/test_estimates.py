"""Estimates while no worker runs."""

from pathlib import Path

from tests.support.files.pdf import pdf
from tests.support.stacks.api import NOOP, Api
from tests.support.waiting import wait_until


async def test_without_a_worker_the_answer_lacks_the_pages_and_leaves_no_job(api: Api, tmp_path: Path) -> None:
    content = pdf(tmp_path / "a.pdf").read_bytes()
    upload = await api.client.post("/api/files", files={"file": ("a.pdf", content)})
    body = {"job_type": "pdf", "parameters": {"filename": upload.json()["data"]["filename"]}}
    reply = await api.client.post("/api/jobs/estimate", json=body, timeout=60)
    assert reply.status_code == 202, reply.text
    found = reply.json()["data"]
    assert (found["pages"], found["seconds"], found["basis"]) == (None, None, "none")
    assert any("No worker had time" in note for note in found["notes"])
    listed = await api.client.get("/api/jobs/", params={"job_type": "inspection"})
    assert listed.json()["data"]["total"] == 0


async def test_jobs_that_wait_go_before_a_new_one(api: Api) -> None:
    for _ in range(3):
        await api.job(await api.create(NOOP))

    async def all_counted() -> bool:
        reply = await api.client.post("/api/jobs/estimate", json=NOOP)
        assert reply.status_code == 200, reply.text
        queue = reply.json()["data"]["queue"]
        assert queue["wait_s"] is None or queue["jobs_before"] == 0, "no job of the type has completed"
        return bool(queue["jobs_before"] >= 3)

    await wait_until(all_counted, 30, "the waiting jobs to be counted")
