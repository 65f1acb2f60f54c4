"""Indexes of folders in the projection, and the rows of their vectors."""

import struct
from typing import Any

import pytest

from piperoll.log.parking import decode
from schemas.documents import FolderIndex, IndexedChunk, IndexPart
from schemas.envelope import Fact
from schemas.events import JobCompleted, JobErased, JobStarted
from services.projector.jobs import projection
from services.projector.search.vectors import Chunk, copy_rows, refusal
from services.projector.verify.document_comparison import (
    index_violations,
)
from tests.support.histories.jobs import BEGAN, OWNER, RUNS, claim, created, fact, record


def chunks_of(*vectors: tuple[float, ...]) -> list[IndexedChunk]:
    return [IndexedChunk(number=number, text=f"text {number}", vector=vector) for number, vector in enumerate(vectors)]


def embedding(job_id: str, second: int = 0) -> list[Fact]:
    done = JobCompleted(run=RUNS[0], result=claim("result"), index=claim(f"{job_id}/index"))
    return [fact(job_id, data, second) for data in (created(), JobStarted(number=1, run=RUNS[0], worker="w"), done)]


def test_only_an_accepted_completion_brings_an_index_and_an_erasure_takes_it_away() -> None:
    facts = [(one, offset) for offset, one in enumerate(embedding("job-a"))]
    assert projection.project(projection.KnownJobs(), facts).indexed == {"job-a": claim("job-a/index")}
    assert projection.project(projection.KnownJobs(), facts[2:]).indexed == {}
    erased = (fact("job-a", JobErased(by=OWNER), 9), 3)
    changes = projection.project(projection.KnownJobs(), [*facts, erased])
    assert (changes.indexed, changes.erased) == ({}, {"job-a"})


def test_no_transaction_loads_two_indexes() -> None:
    facts = [*embedding("job-a"), *embedding("job-b"), fact("job-c", created())]
    cut = projection.units([decode(record(one, 0, offset)) for offset, one in enumerate(facts)])
    assert [len(unit) for unit in cut] == [3, 3, 1]


@pytest.mark.parametrize(
    ("chunks", "why"),
    [
        (chunks_of((1.0, 2.0), (0.5,)), "chunk 1 has 1 numbers, the index has 2"),
        (chunks_of((1.0, float("nan"))), "chunk 0 has numbers"),
        (chunks_of((1.0, float("inf"))), "chunk 0 has numbers"),
        (chunks_of((1.0, 1e39)), "chunk 0 has numbers"),
    ],
)
def test_vectors_that_the_table_would_not_take_are_refused(chunks: list[IndexedChunk], why: str) -> None:
    assert why in (refusal(chunks, 2) or "")


def test_a_row_is_copied_in_postgres_s_binary_form() -> None:
    row = Chunk("job-a", 7, "folder-a", "doc-a", 3, "née", (0.5, -1.0))
    content = copy_rows([row])
    assert content.startswith(b"PGCOPY\n\xff\r\n\x00")
    assert struct.pack(">hi5s", 7, 5, b"job-a") in content
    assert content.endswith(
        struct.pack(">i4s", 4, "née".encode()) + struct.pack(">ihhff", 12, 2, 0, 0.5, -1.0) + b"\xff\xff"
    )


def test_a_document_without_vectors_is_not_refused() -> None:
    assert refusal([], 2) is None


def test_each_difference_of_an_index_is_a_violation() -> None:
    part = IndexPart(document_id="doc-0", chunks=1, content=claim("part"))
    index = FolderIndex(folder_id="folder-a", model="m", dimensions=2, parts=(part,))
    row: dict[str, Any] = {
        "folder_id": "folder-a",
        "job_created_at": BEGAN,
        "loaded": True,
        "model": "m",
        "dimensions": 2,
        "chunks": 1,
    }
    assert list(index_violations("job-a", BEGAN, index, row)) == []
    for name, value in {"folder_id": "folder-b", "model": "n", "dimensions": 3, "chunks": 2}.items():
        (found,) = index_violations("job-a", BEGAN, index, {**row, name: value})
        assert name in found.sentence
    assert list(index_violations("job-a", BEGAN, index, {**row, "loaded": False, "model": None})) == []
