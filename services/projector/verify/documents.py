"""The part of `piperoll verify` that compares documents, folders and search. Writes nothing."""

from collections.abc import Iterable, Mapping

from asyncpg import Connection

from piperoll.claimed_content import ClaimedContent
from piperoll.domain.job import Job
from piperoll.history import Violation
from piperoll.store.blobs import AsyncBlobs, BlobMissingError
from schemas.claims import Claim
from schemas.documents import FolderIndex
from services.projector.search.index import SearchIndex
from services.projector.verify import document_comparison as document_comparison
from services.projector.verify import jobs as comparison
from services.projector.verify.document_comparison import ChunkKey, DocumentHistory
from services.projector.verify.jobs import INVARIANT
from services.projector.verify.leftovers import index_leftovers

Sql = Mapping[str, str]
Indexed = Mapping[str, tuple[Job, Claim]]
"""The embedding jobs of a partition with an index that were not erased, by id."""


async def compare_documents(
    connection: Connection, sql: Sql, history: DocumentHistory, partition: int
) -> list[Violation]:
    """A partition's documents, folders and members, in the caller's snapshot."""
    members = {
        (row["folder_id"], row["document_id"], row["added_at"])
        for row in await connection.fetch(sql["members"], partition)
    }
    expected = {(*membership, since) for membership, since in history.members.items()}
    return [
        *history.misplaced,
        *document_comparison.document_violations(
            history, await connection.fetch(sql["documents"], partition), partition
        ),
        *document_comparison.folder_violations(history, await connection.fetch(sql["folders"], partition), partition),
        *comparison.set_violations(f"the folder members of partition {partition}", expected, members),
    ]


async def compare_indexes(
    connection: Connection, sql: Sql, indexed: Indexed, blobs: AsyncBlobs, partition: int
) -> list[Violation]:
    """Compare the indexes of a partition's embedding jobs, in the caller's snapshot. Erased ones are skipped."""
    search, found = SearchIndex(ClaimedContent(blobs, None)), []
    rows = {row["job_id"]: row for row in await connection.fetch(sql["index_jobs"], partition)}
    for job_id in sorted(rows.keys() - indexed.keys()):
        found.append(Violation(INVARIANT, job_id, "has an index in the tables and none in the log"))
    for job_id, (job, claim) in sorted(indexed.items()):
        index = await search.read(claim)
        row = rows.get(job_id)
        if index is None:
            continue
        if row is None:
            found.append(Violation(INVARIANT, job_id, "has an index in the log and none in the tables"))
            continue
        found += document_comparison.index_violations(job_id, job.created_at, index, row)
        found += await index_leftovers(connection, sql, blobs, job_id, index)
        if row["loaded"]:
            found += await _compare_chunks(connection, sql, search, job_id, index)
    return found


async def _compare_chunks(
    connection: Connection, sql: Sql, search: SearchIndex, job_id: str, index: FolderIndex
) -> Iterable[Violation]:
    """A loaded index, document by document."""
    expected: set[ChunkKey] = set()
    erased: set[str] = set()
    async for document_id, chunks in search.chunks(job_id, index, await search.removed(connection, index)):
        if chunks is None:
            erased.add(document_id)
        else:
            expected.update(map(document_comparison.chunk_key, chunks))
    stored = {tuple(one) for one in await connection.fetch(sql["chunks"], job_id) if one["document_id"] not in erased}
    return comparison.set_violations(f"the chunks of {job_id}", expected, stored)


async def compare_search(connection: Connection, sql: Sql, blobs: AsyncBlobs) -> list[Violation]:
    """Compare across partitions: each folder's newest index is loaded, and nothing of removed ones is left."""
    rows = await connection.fetch(sql["unexpected_search_rows"])
    found = [Violation(INVARIANT, row["id"], row["sentence"]) for row in rows]
    for row in await connection.fetch(sql["passed_over"]):
        try:
            await blobs.size(row["uri"])
        except BlobMissingError:
            continue  # erased, and its JobErased is not projected yet
        found.append(
            Violation(INVARIANT, row["folder_id"], f"has the index of {row['loaded']} loaded, not {row['job_id']}'s")
        )
    return found
