"""Synchronisation and import through worker, children and a real Kafka: what the log records of documents afterwards.

The API's part, which knows what a folder holds, is played here;
tests/acceptance/job_types/test_sync.py goes the whole way.
"""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest
from pydantic_core import from_json, to_json

from piperoll.log.kafka import KafkaOffsets
from piperoll.store import document_paths as documents
from piperoll.store.blobs import AsyncBlobs, Blobs
from schemas.documents import KnownDocument, ResolvedSync, parameters_document
from schemas.envelope import Fact
from schemas.events import DocumentAdded, DocumentRemoved, FolderMembersChanged, JobCreated
from schemas.ids import draw_folder_id, draw_job_id, intake_job_id
from schemas.topics import DOCUMENT_EVENTS
from tests.support.stacks.system import Json, System
from tests.support.waiting import wait_until


class Folder:
    """A folder of the API's, synchronised from a folder on disk."""

    def __init__(self, system: System, blobs: AsyncBlobs) -> None:
        self.system = system
        self.blobs = blobs
        self.folder_id = draw_folder_id()
        self.path = system.files / uuid4().hex
        self.path.mkdir()
        self.known: dict[str, KnownDocument] = {}

    async def sync(self) -> Json:
        """Runs a sync job that knows the facts so far; returns the job."""
        job_id = draw_job_id()
        given = {"source": self.path.as_uri(), "folder_id": self.folder_id}
        resolved = ResolvedSync(folder_id=self.folder_id, name="Trial", documents=tuple(self.known.values()))
        document = parameters_document("sync", given, resolved)
        parameters = await self.blobs.put(f"{job_id}/in", to_json(document))
        await self.system.append(job_id, JobCreated(job_type="sync", parameters=parameters, body_sha256="0" * 64))
        job = await self.system.wait_for_end(job_id)
        assert job["status"] == "completed", job
        await self._learn(job_id)
        return job

    async def facts(self) -> list[Fact]:
        """All facts of documents that the log has."""
        offsets = KafkaOffsets(self.system.settings)
        await offsets.start()
        try:
            ends = await offsets.end_offsets(DOCUMENT_EVENTS)
            records = await offsets.read_range(DOCUMENT_EVENTS, dict.fromkeys(ends, 0), ends)
        finally:
            await offsets.stop()
        return [record.fact() for record in records]

    async def members(self) -> set[str]:
        """The documents that came into the folder."""
        found = [fact.data for fact in await self.facts() if fact.subject == self.folder_id]
        return {name for data in found if isinstance(data, FolderMembersChanged) for name in data.added}

    async def _learn(self, job_id: str) -> None:
        for fact in await self.facts():
            if isinstance(fact.data, DocumentAdded) and fact.data.job_id == job_id:
                name = Path((await self._details(fact.data))["source"]).name
                job = intake_job_id(fact.subject, fact.data.revision)
                earlier = self.known[name].jobs if name in self.known else ()
                self.known[name] = KnownDocument(
                    document_id=fact.subject,
                    source=(await self._details(fact.data))["source"],
                    revision=fact.data.revision,
                    jobs=(*earlier, job),
                )
            elif isinstance(fact.data, DocumentRemoved):
                self.known = {name: one for name, one in self.known.items() if one.document_id != fact.subject}

    async def _details(self, data: DocumentAdded) -> Json:
        return dict(from_json(await self.blobs.get(data.details.uri)))


@pytest.fixture
async def folder(system: System) -> AsyncIterator[Folder]:
    blobs = AsyncBlobs(Blobs(system.settings.blob_url))
    yield Folder(system, blobs)
    blobs.close()


async def test_a_folder_is_followed_through_additions_changes_and_removals(system: System, folder: Folder) -> None:
    for name in ("a.txt", "b.md"):
        (folder.path / name).write_text(f"The words of {name}")
    job = await folder.sync()
    assert job["progress"]["percent"] == 100
    first = dict(folder.known)
    assert first.keys() == {"a.txt", "b.md"}
    assert await folder.members() == {one.document_id for one in first.values()}
    for name, one in first.items():
        text = await system.wait_for_end(one.jobs[0])
        assert (text["status"], text["job_type"]) == ("completed", "extraction"), text
        assert f"The words of {name}" in str(text["results"])

    before = len(await folder.facts())
    await folder.sync()
    assert len(await folder.facts()) == before

    (folder.path / "a.txt").write_text("Other words")
    (folder.path / "b.md").unlink()
    job = await folder.sync()
    assert folder.known.keys() == {"a.txt"}
    changed = folder.known["a.txt"]
    assert changed.document_id == first["a.txt"].document_id
    text = await system.wait_for_end(changed.jobs[-1])
    assert "Other words" in str(text["results"])
    lost = first["b.md"]
    assert await folder.blobs.names(documents.folder_of(lost.document_id)) == ()

    async def erased() -> bool:
        return (await system.client.get(f"/api/jobs/{lost.jobs[0]}")).status_code == 404

    await wait_until(erased, 10, "the text of the lost document to be erased")

    (folder.path / "b.md").write_text("The words of b.md")
    await folder.sync()
    assert folder.known["b.md"].document_id != lost.document_id


async def test_an_import_makes_documents_of_uploads_and_files(system: System, folder: Folder) -> None:
    reply = await system.client.post("/api/files", files={"file": ("up.md", b"Uploaded words", "text/markdown")})
    upload = reply.json()["data"]["filename"]
    (folder.path / "a.txt").write_text("Words on disk")
    items = [{"filename": upload}, {"filename": str(folder.path / "a.txt")}, {"filename": str(folder.path / "no.txt")}]
    job_id = await system.create("import", items=items)
    job = await system.wait_for_end(job_id)
    assert job["status"] == "completed", job
    found = job["results"]["structured_data"]
    assert [one["name"] for one in found["added"]] == ["up.md", "a.txt"]
    assert [one["code"] for one in found["failed"]] == ["FILE_NOT_FOUND"]
    added = [
        fact for fact in await folder.facts() if isinstance(fact.data, DocumentAdded) and fact.data.job_id == job_id
    ]
    assert {fact.subject for fact in added} == {one["document_id"] for one in found["added"]}
    for fact in added:
        assert isinstance(fact.data, DocumentAdded)
        text = await system.wait_for_end(intake_job_id(fact.subject, fact.data.revision))
        assert text["status"] == "completed", text
