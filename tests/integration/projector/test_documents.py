"""The tables of documents and folders, on a real Kafka and Postgres: rows, verification and rebuilds."""

from itertools import pairwise
from uuid import uuid4

import asyncpg
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from piperoll.store.document_paths import delete_content
from schemas.envelope import Fact
from schemas.events import JobErased
from schemas.ids import draw_document_id, draw_folder_id, draw_job_id
from schemas.topics import DOCUMENT_EVENTS
from services.projector.database.schema import VectorsMissingError, create_tables
from services.projector.rebuild import rebuild
from services.projector.verify.run import VerifyReport, verify
from tests.support.histories.documents import REMOVED, added, libraries, moved
from tests.support.histories.jobs import OWNER, fact, record
from tests.support.projector.library import Library
from tests.support.waiting import wait_until


def sentences(report: VerifyReport) -> str:
    return "\n".join(str(violation) for violation in report.violations)


@hypothesis_settings(max_examples=15)  # each fills two schemas
@given(libraries(), st.lists(st.integers(0, 30), max_size=3).map(sorted))
async def test_any_split_into_polls_gives_the_same_rows(library: Library, facts: list[Fact], cuts: list[int]) -> None:
    records = [record(one, 0, offset, DOCUMENT_EVENTS) for offset, one in enumerate(facts)]
    whole, split = await library.projecting(), await library.projecting()
    for one in records:
        await whole.documents.handle(0, [one])
    for begin, end in pairwise([0, *cuts, 1000]):
        if records[begin:end]:
            await split.documents.handle(0, records[begin:end])
    assert await split.tables() == await whole.tables()


async def test_a_poll_handed_over_again_changes_nothing(library: Library) -> None:
    projecting = await library.projecting()
    facts = [
        fact("folder-a", library.folder("folder-a", "Reports")),
        fact("folder-a", moved(("doc-a", "doc-b")), 1),
        fact("folder-a", moved((), ("doc-a",)), 2),
        fact("doc-a", library.document("doc-a", "a.pdf"), 3),
    ]
    records = [record(one, 0, offset, DOCUMENT_EVENTS) for offset, one in enumerate(facts)]
    await projecting.documents.handle(0, records)
    before = await projecting.tables()
    await projecting.documents.revoked({0})
    await projecting.documents.handle(0, records)
    assert await projecting.tables() == before
    (row,) = await projecting.rows("documents")
    assert (row["name"], row["source"], row["size"]) == ("a.pdf", "https://example.org/a.pdf", 1)
    (folder,) = await projecting.rows("folders")
    assert (folder["name"], folder["description"], folder["chunk_size"]) == ("Reports", "of this year", 300)
    assert [one["document_id"] for one in await projecting.rows("folder_members")] == ["doc-b"]


async def test_a_name_stays_when_its_details_are_gone_and_goes_with_its_document(library: Library) -> None:
    projecting = await library.projecting()
    first = library.document("doc-a", "a.pdf")
    await projecting.documents.handle(0, [record(fact("doc-a", first), 0, 0, DOCUMENT_EVENTS)])
    library.sync_blobs.delete([first.details.uri])
    again = [fact("doc-b", added("1", first.details), 1), fact("doc-a", added("1", first.details), 1)]
    await projecting.documents.handle(0, [record(one, 0, 1 + at, DOCUMENT_EVENTS) for at, one in enumerate(again)])
    assert [row["name"] for row in await projecting.rows("documents")] == ["a.pdf", None]
    await projecting.documents.handle(0, [record(fact("doc-a", REMOVED, 2), 0, 3, DOCUMENT_EVENTS)])
    removed, _ = await projecting.rows("documents")
    assert (removed["removed"], removed["name"], removed["size"]) == (True, None, None)


async def test_a_listener_is_notified_of_positions_of_documents(library: Library) -> None:
    projecting = await library.projecting()
    heard: list[object] = []
    listener = await asyncpg.connect(library.settings.postgres_dsn.get_secret_value())
    await listener.add_listener(f"piperoll_{projecting.schema}", lambda *notification: heard.append(notification[-1]))
    await projecting.documents.handle(2, [record(fact("doc-a", added()), 2, 0, DOCUMENT_EVENTS)])
    await wait_until(lambda: heard, 5, "the notification")
    await listener.close()
    assert heard == ["documents:2:1"]


async def test_what_was_appended_is_projected_and_verified_and_a_rebuild_gives_the_same(library: Library) -> None:
    folder_id, (kept, gone) = draw_folder_id(), (draw_document_id(), draw_document_id())
    older, newer, erased = draw_job_id(), draw_job_id(), draw_job_id()
    async with library.projector() as lifetime:
        await library.append(
            fact(folder_id, library.folder(folder_id, "Reports")),
            fact(kept, library.document(kept, "kept.pdf")),
            fact(gone, library.document(gone, "gone.pdf")),
            fact(folder_id, moved((kept, gone)), 1),
            *library.embedding(newer, 10, library.index(folder_id, newer, [kept, gone])),
            *library.embedding(older, 5, library.index(folder_id, older, [kept, gone])),
            *library.embedding(erased, 15, library.index(folder_id, erased, [kept, gone])),
            fact(gone, REMOVED, 20),
            fact(erased, JobErased(by=OWNER), 20),
        )
        await library.caught_up()
        assert lifetime.problems() == {}
        library.sync_blobs.delete_folder(erased)  # as the worker does
        await delete_content(library.blobs, gone)
        report = await verify(library.settings)
    assert report.holds, sentences(report)
    assert (report.documents, report.folders, report.indexes) == (2, 1, 2)
    live = await library.tables()
    assert len(live["chunks"]) == 2
    await rebuild(library.settings)
    assert await library.tables() == live
    again = await verify(library.settings)
    assert again.holds, sentences(again)


async def test_each_fault_in_the_tables_is_found_and_all_are_mended_by_a_rebuild(library: Library) -> None:
    folder_id, other, document_id, removed = draw_folder_id(), draw_folder_id(), draw_document_id(), draw_document_id()
    older, newer, alone = draw_job_id(), draw_job_id(), draw_job_id()
    async with library.projector():
        await library.append(
            fact(folder_id, library.folder(folder_id, "Reports")),
            fact(other, library.folder(other, "Others")),
            fact(document_id, library.document(document_id, "a.pdf")),
            fact(removed, library.document(removed, "b.pdf")),
            fact(removed, REMOVED, 1),
            fact(folder_id, moved((document_id,)), 1),
            *library.embedding(older, 5, library.index(folder_id, older, [document_id])),
            *library.embedding(newer, 10, library.index(folder_id, newer, [document_id])),
            *library.embedding(alone, 10, library.index(other, alone, [document_id])),
        )
        await library.caught_up()
    faults = [
        (f"UPDATE read_v1.documents SET revision = '9' WHERE document_id = '{document_id}'", "has revision '9'"),
        (f"UPDATE read_v1.documents SET name = 'b' WHERE document_id = '{removed}'", f"{removed} has name 'b'"),
        (f"DELETE FROM read_v1.folders WHERE folder_id = '{other}'", f"{other} is in the log and not in the tables"),
        ("INSERT INTO read_v1.folder_members VALUES ('folder-x', 'doc-x', now())", "doc-x is an entry row"),
        (f"UPDATE read_v1.folder_members SET added_at = now() WHERE folder_id = '{folder_id}'", "folder members of"),
        (f"UPDATE read_v1.chunks SET text = 'x' WHERE job_id = '{newer}' AND position = 0", f"chunks of {newer}"),
        (f"UPDATE read_v1.chunks SET document_id = '{removed}' WHERE job_id = '{alone}'", "still has chunks"),
        (f"DELETE FROM read_v1.index_jobs WHERE job_id = '{older}'", f"{older} has an index in the log"),
        (f"DELETE FROM read_v1.folder_indexes WHERE folder_id = '{other}'", f"{alone} has chunks in the tables"),
    ]
    for change, _ in faults:
        await library.statement(change)
    found = sentences(await verify(library.settings))
    for _, sentence in faults:
        assert sentence in found
    assert f"{other} has the index of no job loaded, not {alone}'s" in found
    await delete_content(library.blobs, removed)
    await rebuild(library.settings)
    mended = await verify(library.settings)
    assert mended.holds, sentences(mended)


async def test_a_checkpoint_of_documents_beyond_the_log_is_found(library: Library) -> None:
    await library.append(fact(draw_document_id(), added()))
    async with library.projector():
        await library.caught_up()
    await library.statement(
        "UPDATE read_v1.checkpoints SET next_offset = next_offset + 1000000 WHERE topic = $1", DOCUMENT_EVENTS.name
    )
    report = await verify(library.settings)
    assert {violation.invariant for violation in report.violations} == {"I8"}
    await rebuild(library.settings)
    assert (await verify(library.settings)).holds


async def test_a_role_that_may_not_create_the_extension_gets_an_instruction(library: Library) -> None:
    name = f"plain_{uuid4().hex[:8]}"
    await library.statement(f"CREATE ROLE {name} LOGIN PASSWORD 'of a test'")
    await library.statement(f"CREATE DATABASE {name} OWNER {name}")
    postgres = library.stack.postgres
    connection = await asyncpg.connect(postgres.dsn(name), user=name, password="of a test")
    with pytest.raises(VectorsMissingError, match="CREATE EXTENSION vector"):
        await create_tables(connection, "read_v1")
    await connection.close()
    administrator = await asyncpg.connect(postgres.dsn(name))
    await administrator.execute("CREATE EXTENSION vector")
    await administrator.close()
    connection = await asyncpg.connect(postgres.dsn(name), user=name, password="of a test")
    await create_tables(connection, "read_v1")
    await connection.close()
