"""The tables of what is searched, on a real Kafka and Postgres."""

import asyncio
from collections.abc import Sequence
from uuid import uuid4

import pytest

from piperoll.log.record import Record
from piperoll.store.document_paths import delete_content, index_part
from schemas.documents import FolderIndex
from schemas.envelope import Fact
from schemas.events import JobErased
from schemas.ids import draw_document_id, draw_folder_id, draw_job_id
from schemas.topics import DOCUMENT_EVENTS, JOB_EVENTS
from services.projector.readers.topic_reader import ProjectorTopicReader
from services.projector.search.vectors import MOST_DIMENSIONS
from services.projector.verify.run import verify
from tests.support.files.indexes import chunks_of, put_index
from tests.support.histories.documents import CLOSED, REMOVED, added
from tests.support.histories.jobs import OWNER, RUNS, claim, created, fact, record
from tests.support.projector.library import Lanes, Library
from tests.support.stacks.projected import PARTITIONS
from tests.support.waiting import PATIENCE_S


def lanes_of(*lives: Sequence[Fact]) -> Lanes:
    """Each life in the next partition of its topic."""
    lanes: Lanes = {}
    for number, life in enumerate(lives):
        topic = JOB_EVENTS if life[0].subject.startswith("job-") else DOCUMENT_EVENTS
        lane = lanes.setdefault((topic.name, number % PARTITIONS), [])
        lane += [record(one, number % PARTITIONS, len(lane) + offset, topic) for offset, one in enumerate(life)]
    return lanes


@pytest.mark.parametrize("seed", range(8))
async def test_the_newest_index_is_loaded_in_whatever_order_partitions_are_read(library: Library, seed: int) -> None:
    """Two jobs of one moment and an older one; documents and another folder are removed meanwhile."""
    names = [f"job-{uuid4()}" for _ in range(4)]
    both = ["doc-a", "doc-b"]
    of_folder = {name: library.index("folder-a", name, both, 2 + number) for number, name in enumerate(names[:3])}
    other = library.index("folder-b", names[3], ["doc-c"])
    lanes = lanes_of(
        library.embedding(names[0], 5, of_folder[names[0]]),
        library.embedding(names[1], 10, of_folder[names[1]]),
        library.embedding(names[2], 10, of_folder[names[2]]),
        [*library.embedding(names[3], 3, other)],
        [fact("doc-a", added()), fact("doc-b", added()), fact("doc-b", REMOVED, 1)],
        [fact("folder-b", library.folder("folder-b", "Other")), fact("folder-b", CLOSED, 1)],
    )
    plain, shuffled = await library.projecting(), await library.projecting()
    await plain.read(lanes)
    await shuffled.read(lanes, seed)
    assert await shuffled.tables() == await plain.tables()
    newest = max(names[1:3])
    assert await shuffled.chunks() == {(newest, "doc-a", 0), (newest, "doc-a", 1)}
    (loaded,) = await shuffled.rows("folder_indexes")
    assert (loaded["folder_id"], loaded["job_id"], loaded["chunks"]) == ("folder-a", newest, 4)


@pytest.mark.parametrize("seed", range(8))
async def test_an_erased_index_gives_way_to_the_one_before_it(library: Library, seed: int) -> None:
    older, newer = f"job-{uuid4()}", f"job-{uuid4()}"
    lanes = lanes_of(
        library.embedding(older, 5, library.index("folder-a", older, ["doc-a"])),
        [
            *library.embedding(newer, 10, library.index("folder-a", newer, ["doc-a"])),
            fact(newer, JobErased(by=OWNER), 20),
        ],
    )
    live = await library.projecting()
    await live.read(lanes, seed)
    assert await live.chunks() == {(older, "doc-a", 0), (older, "doc-a", 1)}
    library.sync_blobs.delete_folder(newer)
    again = await library.projecting()
    await again.read(lanes)
    assert await again.tables() == await live.tables()


async def test_erasing_the_only_index_leaves_nothing_of_it(library: Library) -> None:
    projecting, job_id = await library.projecting(), f"job-{uuid4()}"
    life = library.embedding(job_id, 5, library.index("folder-a", job_id, ["doc-a"]))
    await projecting.read(lanes_of([*life, fact(job_id, JobErased(by=OWNER), 20)]))
    tables = await projecting.tables()
    assert [tables[name] for name in ("chunks", "folder_indexes", "index_jobs")] == [[], [], []]


async def test_an_index_that_is_gone_or_of_no_use_is_passed_over(library: Library) -> None:
    projecting = await library.projecting()
    large = MOST_DIMENSIONS + 1
    claims = [
        claim("job-gone/index"),
        library.sync_blobs.put("job-bad/index", b"not json"),
        put_index(library.sync_blobs, "job-large", RUNS[0], "folder-a", "m", large, {}),
    ]
    lives = [library.embedding(f"job-{number}", number, where) for number, where in enumerate(claims)]
    await projecting.read(lanes_of(*lives))
    assert (await projecting.tables())["index_jobs"] == []
    jobs = await library.statement(f"SELECT status FROM {projecting.schema}.jobs")
    assert [row["status"] for row in jobs] == ["completed"] * 3


async def test_a_document_whose_chunks_are_gone_or_of_no_use_is_left_out(library: Library) -> None:
    projecting, job_id = await library.projecting(), f"job-{uuid4()}"
    good, bad = ("A text", (1.0, 2.0, 3.0)), ("A text", (1.0, 2.0))
    documents = {"doc-gone": [good], "doc-broken": [good], "doc-bad": [good, bad], "doc-good": [good, good]}
    where = put_index(library.sync_blobs, job_id, RUNS[0], "folder-a", "m", 3, documents)
    library.sync_blobs.delete([index_part(job_id, RUNS[0], "doc-gone")])
    library.sync_blobs.replace(index_part(job_id, RUNS[0], "doc-broken"), b"not json")
    await projecting.read(lanes_of(library.embedding(job_id, 5, where)))
    assert await projecting.chunks() == {(job_id, "doc-good", 0), (job_id, "doc-good", 1)}
    positions = await library.statement(f"SELECT position FROM {projecting.schema}.chunks ORDER BY position")
    assert [row["position"] for row in positions] == [4, 5], "each chunk keeps its place"


async def test_vectors_are_those_of_the_index(library: Library) -> None:
    projecting, job_id = await library.projecting(), f"job-{uuid4()}"
    where = library.index("folder-a", job_id, ["doc-a"], 4)
    index = FolderIndex.model_validate_json(library.sync_blobs.get(where.uri))
    await projecting.read(lanes_of(library.embedding(job_id, 5, where)))
    rows = await library.statement(
        f"SELECT text, embedding::real[] AS vector FROM {projecting.schema}.chunks ORDER BY position"
    )
    chunks = [chunk for _, chunk in chunks_of(library.sync_blobs, index)]
    assert [row["text"] for row in rows] == [chunk.text for chunk in chunks]
    for row, chunk in zip(rows, chunks, strict=True):
        assert row["vector"] == pytest.approx(chunk.vector, rel=1e-6)


async def test_projectors_that_load_and_remove_at_once_neither_block_nor_leave_anything(library: Library) -> None:
    """The readers of one set of tables in several processes: jobs of one folder, and its documents going."""
    first = await library.projecting()
    hands = [first, *[await library.projecting(first.schema) for _ in range(PARTITIONS - 1)]]
    documents = [f"doc-{number}" for number in range(10)]
    names = [f"job-{uuid4()}" for _ in range(12)]
    lives = [library.embedding(name, at, library.index("folder-a", name, documents)) for at, name in enumerate(names)]
    removals = [[fact(one, added()), fact(one, REMOVED, 1)] for one in documents[1:]]
    plain = await library.projecting()
    lanes = lanes_of(*lives, *removals)
    await plain.read(lanes)

    async def run(reader: ProjectorTopicReader, partition: int, records: list[Record]) -> None:
        for one in records:
            await reader.handle(partition, [one])

    async with asyncio.timeout(PATIENCE_S):
        await asyncio.gather(
            *(
                run(hands[part].jobs if topic == JOB_EVENTS.name else hands[part].documents, part, records)
                for (topic, part), records in lanes.items()
            )
        )
    assert await first.tables() == await plain.tables()
    assert await first.chunks() == {(names[-1], "doc-0", 0), (names[-1], "doc-0", 1)}


async def test_what_is_left_of_a_removed_document_is_found(library: Library) -> None:
    """I7: its blobs, its chunks in an index, and the jobs about it, of any type."""
    folder_id, gone, index = draw_folder_id(), draw_document_id(), draw_job_id()
    about = {draw_job_id(): created(job_type=kind).model_copy(update={"target_id": gone}) for kind in ("pdf", "noop")}
    async with library.projector():
        await library.append(
            fact(folder_id, library.folder(folder_id, "Reports")),
            fact(gone, library.document(gone, "gone.pdf")),
            *(fact(job_id, data, 1) for job_id, data in about.items()),
            *library.embedding(index, 5, library.index(folder_id, index, [gone])),
            fact(gone, REMOVED, 20),
        )
        await library.caught_up()
        found = "\n".join(map(str, (await verify(library.settings)).violations))
        assert f"{gone} was removed and still has 2 blobs" in found
        assert f"{gone} was removed and still has chunks in the index of {index}" in found
        for job_id in about:
            assert f"{job_id} is about {gone}, which was removed, and is not erased" in found
        await delete_content(library.blobs, gone)
        await library.append(*(fact(job_id, JobErased(by=OWNER), 21) for job_id in about))
        await library.caught_up()
        report = await verify(library.settings)
    assert report.holds, report.violations
