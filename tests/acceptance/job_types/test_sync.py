"""Folders that follow a source, as their users meet them: over HTTP, through all four services."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.support.stacks.system import ENDED, Json, System
from tests.support.waiting import wait_until


@dataclass
class Customer:
    """An owner with one folder, which follows a folder on disk."""

    system: System
    key: str
    path: Path
    folder_id: str = ""

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"}

    async def ask(self, method: str, path: str, status: int = 200, **more: Any) -> Any:
        reply = await self.system.client.request(method, path, headers=self.headers, **more)
        assert reply.status_code == status, reply.text
        return reply.json()

    async def create_folder(self) -> None:
        answer = await self.ask("POST", "/v1/folders", json={"name": "Ablage"})
        self.folder_id = answer["data"]["id"]

    async def run(self, job_type: str, **parameters: Any) -> Json:
        """A job at its end."""
        body = {"job_type": job_type, "parameters": {"folder_id": self.folder_id, **parameters}}
        job_id = (await self.ask("POST", "/api/jobs/", json=body))["data"]["job_id"]
        while (job := (await self.ask("GET", f"/api/jobs/{job_id}?wait=30"))["data"])["status"] not in ENDED:
            continue  # it answers at the next change of status
        return dict(job)

    async def sync(self, **parameters: Any) -> Json:
        job = await self.run("sync", source=self.path.as_uri(), **parameters)
        assert job["status"] == "completed", job
        return dict(job["results"]["structured_data"])

    async def files(self) -> dict[str, str]:
        """The documents in the folder: id by name."""
        answer = await self.ask("GET", f"/v1/folders/{self.folder_id}/files")
        return {one["name"]: one["id"] for one in answer["data"]}

    async def text(self, document_id: str, expected: str) -> Json:
        """The document once it has a text."""

        async def read() -> Json | None:
            found = (await self.ask("GET", f"/v1/documents/{document_id}"))["data"]
            return found if expected in str(found.get("content")) else None

        document = await wait_until(read, 60, f"{document_id} to contain {expected!r}")
        assert document is not None
        return document


@pytest.fixture
async def customer(system: System) -> Customer:
    owner = f"sync-{uuid4().hex[:8]}"
    path = system.files / owner
    path.mkdir()
    made = Customer(system, await system.create_key(owner), path)
    await made.create_folder()
    return made


def write(customer: Customer, name: str, content: str) -> None:
    path = customer.path / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(content)


def changes(found: Json) -> dict[str, list[str]]:
    return {kind: [one["path"] for one in found[kind]] for kind in ("added", "changed", "removed")}


NOTHING: dict[str, list[str]] = {"added": [], "changed": [], "removed": []}


async def test_a_folder_follows_its_source(customer: Customer) -> None:
    write(customer, "a.txt", "The words of a")
    write(customer, "deep/b.md", "The words of b")
    assert changes(await customer.sync()) == {**NOTHING, "added": ["a.txt", "deep/b.md"]}
    first = await customer.files()
    assert first.keys() == {"a.txt", "b.md"}
    await customer.text(first["a.txt"], "The words of a")
    await customer.text(first["b.md"], "The words of b")

    assert changes(await customer.sync()) == NOTHING

    write(customer, "a.txt", "Other words")
    (customer.path / "deep/b.md").unlink()
    assert changes(await customer.sync()) == {**NOTHING, "changed": ["a.txt"], "removed": ["deep/b.md"]}
    assert await customer.files() == {"a.txt": first["a.txt"]}
    await customer.text(first["a.txt"], "Other words")
    await customer.ask("GET", f"/v1/documents/{first['b.md']}", status=404)

    write(customer, "deep/b.md", "The words of b")
    assert changes(await customer.sync()) == {**NOTHING, "added": ["deep/b.md"]}
    assert (await customer.files())["b.md"] != first["b.md"]
    assert changes(await customer.sync()) == NOTHING


async def test_a_document_that_was_deleted_only_here_is_imported_again(customer: Customer) -> None:
    write(customer, "a.txt", "The words of a")
    await customer.sync()
    first = await customer.files()
    await customer.ask("DELETE", f"/v1/documents/{first['a.txt']}")
    assert await customer.files() == {}
    assert changes(await customer.sync()) == {**NOTHING, "added": ["a.txt"]}
    again = await customer.files()
    assert again.keys() == {"a.txt"}
    assert again != first
    assert changes(await customer.sync()) == NOTHING


async def test_documents_that_left_the_source_can_be_kept(customer: Customer) -> None:
    write(customer, "a.txt", "The words of a")
    await customer.sync()
    (customer.path / "a.txt").unlink()
    assert changes(await customer.sync(delete_removed=False)) == NOTHING
    assert (await customer.files()).keys() == {"a.txt"}
    assert changes(await customer.sync(confirm_removals=True)) == {**NOTHING, "removed": ["a.txt"]}
    assert await customer.files() == {}


async def test_files_that_are_imported_are_in_the_folder(customer: Customer) -> None:
    reply = await customer.ask("POST", "/api/files", files={"file": ("up.md", b"Uploaded words", "text/markdown")})
    write(customer, "a.txt", "Words on disk")
    items = [{"filename": reply["data"]["filename"]}, {"filename": str(customer.path / "a.txt")}]
    job = await customer.run("import", items=items)
    assert job["status"] == "completed", job
    files = await customer.files()
    assert files.keys() == {"up.md", "a.txt"}
    await customer.text(files["up.md"], "Uploaded words")
    # a synchronisation does not take them for its own
    assert changes(await customer.sync()) == {**NOTHING, "added": ["a.txt"]}
    assert len((await customer.ask("GET", f"/v1/folders/{customer.folder_id}/files"))["data"]) == 3


async def test_a_list_of_jobs_shows_the_counts_of_a_synchronisation(customer: Customer) -> None:
    write(customer, "a.txt", "The words of a")
    await customer.sync()
    (job,) = (await customer.ask("GET", "/v1/jobs", params={"type": "SYNC"}))["data"]
    assert (job["status"], job["targetId"]) == ("DONE", customer.folder_id)
    assert (job["metadata"]["filesAdded"], job["metadata"]["filesProcessed"]) == (1, 1)
    assert job["metadata"]["folderName"] == "Ablage"


@pytest.mark.parametrize("source", ["file:///etc", "s3://bucket/prefix"])
async def test_a_source_that_is_not_allowed_is_refused_with_the_setting(customer: Customer, source: str) -> None:
    body = {"job_type": "sync", "parameters": {"source": source, "folder_id": customer.folder_id}}
    answer = await customer.ask("POST", "/api/jobs/", status=400, json=body)
    assert answer["error"]["details"]["fields"][0]["field"] == "source"
    assert "PIPEROLL_" in answer["error"]["message"]


async def test_the_folder_of_another_owner_does_not_exist(customer: Customer, system: System) -> None:
    body = {"job_type": "sync", "parameters": {"source": customer.path.as_uri(), "folder_id": customer.folder_id}}
    reply = await system.client.post("/api/jobs/", json=body)
    assert (reply.status_code, reply.json()["error"]["code"]) == (400, "INVALID_PARAMETERS")
