"""The cache by content: hits, misses, and separate owners."""

import json
from datetime import timedelta
from typing import Any

import pytest

from piperoll.store.blobs import Blobs
from schemas.job_types.parameters import JobParameters
from schemas.job_types.pdf import PdfParameters
from services.worker.run.cache import Cache, entry_of, markers
from services.worker.run.workspace import Result
from tests.support.histories.jobs import BEGAN

ASKED = PdfParameters.model_validate({"filename": "/in/a.pdf"})


TTL_S = 1000.0


class Life:
    """Runs over one blob store, each another job, at a time that can be moved."""

    def __init__(self, root: Any) -> None:
        self.blobs = Blobs(f"file://{root}/blobs")
        self.now = BEGAN
        self.count = 0

    def run(self, owner: str = "acme", job_type: str = "pdf") -> "Run":
        self.count += 1
        return Run(self, f"job-{self.count}", f"run-{self.count}", owner, job_type)


class Run:
    """One run, as the child process goes about it."""

    def __init__(self, life: Life, job_id: str, run: str, owner: str, job_type: str) -> None:
        self.life, self.folder = life, f"{job_id}/{run}"
        self.cache = Cache(life.blobs, lambda: life.now, job_type, owner, job_id, run, TTL_S)

    def recall(self, asked: JobParameters = ASKED, content: str = "c1", **more: Any) -> Result | None:
        return self.cache.recall(asked, without={"filename"}, content=content, **more)

    def make(self, text: str = "Text", **changes: Any) -> Result:
        """Keeps two files, ends with a result that names them, and remembers it."""
        blobs = self.life.blobs
        for name in ("images/page_001.jpg", "ocr/raw.json"):
            blobs.put_named(f"{self.folder}/{name}", f"{self.folder} {name}".encode(), "image/jpeg")
        result = Result(
            structured_data={"extracted_text": text, "metadata": {"process_dir": blobs.location(self.folder)}},
            assets=(blobs.location(f"{self.folder}/images/page_001.jpg"),),
            extra={"raw_url": f"/api/pdf/jobs/{self.folder.split('/')[0]}/mistral-ocr-raw"},
            notes=("Read by rules.",),
            pages=3,
            bytes_in=700,
            **changes,
        )
        document = json.dumps(result.body(blobs.location(self.folder))).encode()
        self.cache.remember(result, blobs.put_named(f"{self.folder}/result.json", document, "application/json"))
        return result


@pytest.fixture
def life(tmp_path: Any) -> Life:
    return Life(tmp_path)


def made(life: Life, **owner: str) -> Run:
    """A run that found nothing and left its result behind."""
    run = life.run(**owner)
    assert run.recall() is None
    run.make()
    return run


def test_an_equal_run_copies_the_result(life: Life) -> None:
    first, second = made(life), life.run()
    found = second.recall()
    assert found is not None
    own = life.blobs.location(second.folder)
    assert found.structured_data == {"extracted_text": "Text", "metadata": {"process_dir": own}}
    assert found.assets == (f"{own}/images/page_001.jpg",)
    assert found.extra == {"raw_url": "/api/pdf/jobs/job-2/mistral-ocr-raw"}
    assert (found.notes, found.pages, found.bytes_in, found.from_cache) == (("Read by rules.",), 3, 700, True)
    assert found.body(own)["process"] == {"is_from_cache": True}
    assert life.blobs.get(f"{second.folder}/ocr/raw.json") == f"{first.folder} ocr/raw.json".encode()
    assert not list(life.blobs.list("job-2/cache"))  # it made no entry: the first one's stays the source


def test_a_copy_outlives_its_source(life: Life) -> None:
    made(life)
    second = life.run()
    second.recall()
    life.blobs.delete_folder("job-1")
    assert life.blobs.get(f"{second.folder}/images/page_001.jpg")


def test_an_entry_has_a_marker_of_its_job(life: Life) -> None:
    made(life)
    (marker,) = life.blobs.list(markers("job-1"))
    assert list(life.blobs.list("cache/acme")) == [entry_of("job-1", marker)]


@pytest.mark.parametrize("name", ["images/page_001.jpg", "result.json", None])
def test_a_source_that_is_gone_or_on_its_way_out_is_a_miss_and_leaves_nothing(life: Life, name: str | None) -> None:
    first, second = made(life), life.run()
    life.blobs.delete([f"{first.folder}/{name}"] if name else list(life.blobs.list(first.folder)))
    assert second.recall() is None
    assert list(life.blobs.list(second.folder)) == []
    second.make("Again")
    found = life.run().recall()
    assert found is not None
    assert found.structured_data["extracted_text"] == "Again"


def test_an_entry_that_cannot_be_read_or_a_result_that_was_changed_is_a_miss(life: Life) -> None:
    first = made(life)
    life.blobs.replace(f"{first.folder}/result.json", b"{}")
    assert life.run().recall() is None
    (entry,) = life.blobs.list("cache")
    life.blobs.replace(entry, b"not an entry")
    assert life.run().recall() is None


def test_nothing_crosses_owners(life: Life) -> None:
    made(life, owner="acme")
    assert life.run(owner="bolt").recall() is None
    assert life.run(owner="acme").recall() is not None


def test_a_result_ages_out(life: Life) -> None:
    made(life)
    life.now += timedelta(seconds=TTL_S)
    assert life.run().recall() is not None
    life.now += timedelta(seconds=1)
    assert life.run().recall() is None


def test_without_use_cache_nothing_is_read_or_left(life: Life) -> None:
    asked = ASKED.model_copy(update={"use_cache": False})
    made(life)
    run = life.run()
    assert run.recall(asked) is None
    run.make("Other")
    found = life.run().recall()
    assert found is not None
    assert found.structured_data["extracted_text"] == "Text"


def test_a_forced_refresh_reads_nothing_and_leaves_its_result(life: Life) -> None:
    made(life)
    run = life.run()
    assert run.recall(ASKED.model_copy(update={"force_refresh": True})) is None
    run.make("Refreshed")
    found = life.run().recall()
    assert found is not None
    assert found.structured_data["extracted_text"] == "Refreshed"


@pytest.mark.parametrize("changes", [{"cacheable": False}, {"from_cache": True}])
def test_a_result_that_lacks_something_or_is_a_copy_is_not_kept(life: Life, changes: dict[str, bool]) -> None:
    run = life.run()
    run.recall()
    run.make(**dict[str, Any](changes))
    assert life.run().recall() is None


def test_a_run_that_never_asked_leaves_nothing(life: Life) -> None:
    life.run().make()
    assert list(life.blobs.list("cache")) == []
