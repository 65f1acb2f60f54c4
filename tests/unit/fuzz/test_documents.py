"""Variants of small documents, read by real children: each run ends with a result or an error of its input.

`make chaos` reads many more of them.
"""

import random
import warnings
from collections import Counter
from pathlib import Path

import hypothesis
import pytest

from piperoll.store.blobs import Blobs
from schemas.errors import ErrorCode
from services.worker.children.protocol import Completed, Failed
from tests.support.children import assignment, ignore, running_pool
from tests.support.files.kinds import FILES, FURTHER
from tests.support.files.mutation import mutated
from tests.support.files.pdf import pdf
from tests.support.waiting import PATIENCE_S

SEED = 20261129
NAMES = ("a.pdf", *(name for name in FILES if not name.endswith((".wav", ".png", ".md", ".txt"))), *FURTHER)
OF_THE_MACHINE = "root:x:0"
"""The begin of /etc/passwd, which entities and paths of the variants name."""
OF_THE_INPUT = frozenset(
    {
        ErrorCode.INVALID_DOCUMENT,
        ErrorCode.INVALID_PDF,
        ErrorCode.UNSUPPORTED_FILE_TYPE,
        ErrorCode.FILE_TOO_LARGE,
        ErrorCode.FILE_ENCRYPTED,
        ErrorCode.OUT_OF_MEMORY,
        ErrorCode.PROCESSING_TIMEOUT,
        ErrorCode.PROCESSOR_CRASHED,
    }
)
"""A library may crash, spin or fill its memory: the process is ended and the run fails. No error is unexpected."""


def variants(tmp_path: Path, name: str, count: int, seed: object) -> list[Path]:
    original = tmp_path / f"original-{name}"
    make = {"a.pdf": pdf, **FURTHER}.get(name) or FILES[name][0]
    make(original)
    content, found = original.read_bytes(), []
    for number in range(count):
        chances = random.Random(f"{seed} {name} {number}")
        with warnings.catch_warnings():  # zipfile warns of a name that is written twice
            warnings.simplefilter("ignore")
            changed = mutated(content, chances)
        found.append(tmp_path / f"{number}-{name}")
        found[-1].write_bytes(changed)
    return found


@pytest.mark.parametrize("name", NAMES)
async def test_a_broken_document_ends_its_run_alone(tmp_path: Path, name: str, pytestconfig: pytest.Config) -> None:
    count = max(5, hypothesis.settings.default.max_examples // 6)
    seed = pytestconfig.getoption("--hypothesis-seed") or SEED
    ends: Counter[str] = Counter()
    blobs = Blobs((tmp_path / "blobs").as_uri())
    async with running_pool(tmp_path, max_pages=50) as pool:
        for path in variants(tmp_path, name, count, seed):
            job_type = "pdf" if name == "a.pdf" else "extraction"
            outcome = await pool.run(assignment(tmp_path, job_type, filename=str(path), timeout_s=20), ignore)
            assert isinstance(outcome, Completed | Failed)
            if isinstance(outcome, Failed):
                assert outcome.code in OF_THE_INPUT, f"{path.name}: {outcome}"
                assert OF_THE_MACHINE not in outcome.message
            else:
                assert OF_THE_MACHINE.encode() not in blobs.get(outcome.result.uri), "an entity was read from a file"
            ends[outcome.outcome] += 1
        assert isinstance(await pool.run(assignment(tmp_path, timeout_s=PATIENCE_S), ignore), Completed)
    assert sum(ends.values()) == count
