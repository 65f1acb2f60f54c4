"""The texts by which a job is found."""

import json
from datetime import UTC, datetime
from typing import Any

from piperoll.domain.job import Job, Status
from services.projector.words.sources import MOST_WORDS, RESULT_BYTES, words_of_job

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def job(**fields: Any) -> Job:
    given = {"job_id": "job-1a2b", "job_type": "pdf", "target_id": "case-77", "user_id": "ada", **fields}
    return Job(owner="owner", status=Status.COMPLETED, created_at=NOW, updated_at=NOW, **given)


def parameters(**given: Any) -> bytes:
    return json.dumps({"job_type": "pdf", "parameters": given}).encode()


def result(**data: Any) -> bytes:
    return json.dumps({"structured_data": data, "assets": []}).encode()


def test_a_job_is_found_by_ids_names_title_and_text() -> None:
    given = parameters(filename="upload://1/annual report.pdf")
    made = result(extracted_text="The exchequer", metadata={"title": "Rolls", "extraction_method": "native"})
    words = words_of_job(job(), given, made)
    assert {"1a2b", "case", "77", "ada", "annual", "report", "rolls", "the", "exchequer"} <= set(words)
    assert "native" not in words, "metadata that is the same for many jobs finds nothing"


def test_a_session_is_found_by_its_title() -> None:
    given = json.dumps({"parameters": {"event": "FOSDEM", "track": "Python", "session": "Opening"}}).encode()
    assert {"fosdem", "python", "opening"} <= set(words_of_job(job(job_type="session"), given, None))


def test_an_address_is_found_by_host_and_path_and_not_by_what_may_be_secret() -> None:
    words = words_of_job(job(), parameters(url="https://user:hunter2@example.org/files/a.pdf?token=s3cret#x"), None)
    assert {"example", "org", "files"} <= set(words)
    assert not {"user", "hunter2", "token", "s3cret"} & set(words)


def test_other_parameters_are_left_out() -> None:
    given = parameters(filename="a.pdf", webhook={"url": "https://hook.example/c4", "token": "canary"}, context="x9")
    assert not {"hook", "c4", "canary", "x9"} & set(words_of_job(job(), given, None))


def test_of_a_long_text_the_beginning_counts_although_the_json_is_cut() -> None:
    text = "".join(f"wörd{number} " for number in range(100_000))
    cut = result(extracted_text=text)[:RESULT_BYTES]
    words = words_of_job(job(), None, cut)
    assert "word0" in words
    assert len(words) == MOST_WORDS


def test_content_that_is_not_the_expected_json_has_no_words() -> None:
    own = words_of_job(job(), None, None)
    for content in (b"", b"[1]", b"\xff\xfe", b'{"structured_data": 3}', b'{"parameters": []}', b"nothing"):
        assert words_of_job(job(), content, content) == own
