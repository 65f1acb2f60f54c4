"""Parameters of `pdf` and `noop` jobs: what is accepted and what is refused."""

from typing import Any

import pytest
from pydantic import ValidationError

from schemas.job_types.noop import NoopParameters
from schemas.job_types.pdf import PdfParameters

PDF: dict[str, Any] = {"filename": "/srv/scans/a.pdf"}

HOOK = "https://example.com/hook"


def pdf(**changes: Any) -> PdfParameters:
    return PdfParameters.model_validate({**PDF, **changes})


def test_a_filename_is_enough() -> None:
    taken = pdf()
    assert (taken.filename, taken.extraction_method, taken.include_images) == ("/srv/scans/a.pdf", "native", False)
    assert (taken.priority, taken.timeout_s, taken.max_attempts, taken.webhook) == (5, 3600, 3, None)


def test_everything_the_seed_names_for_a_pdf_of_this_release_is_taken() -> None:
    taken = pdf(
        extraction_method="native",
        page_start=2,
        page_end=7,
        include_images=True,
        use_cache=False,
        force_refresh=True,
        target_id="doc-1",
        priority=9,
        webhook={"url": HOOK, "token": "t", "jobId": "theirs"},
    )
    assert (taken.page_start, taken.page_end) == (2, 7)
    assert taken.webhook is not None
    assert taken.webhook.job_id == "theirs"


@pytest.mark.parametrize(
    "changes",
    [
        {"filename": None},
        {"filename": ""},
        {"filename": 7},
        {"filename": ["a.pdf"]},
        {"filename": "a" * 4097},
        {"filename": "a\ud800.pdf"},
        {"filename": "a.pdf", "url": "https://example.com/a.pdf"},
        {"filename": None, "url": "ftp://example.com/a.pdf"},
        {"filename": None, "url": "https://user:word@example.com/a.pdf"},
        {"filename": None, "url": "https://example.com/a b.pdf"},
        {"filename": None, "url": "example.com/a.pdf"},
        {"filename": None, "url": None},
        {"extraction_method": "magic"},
        {"extraction_method": ["native"]},
        {"extraction_method": "NATIVE"},
        {"extraction_method": None},
        {"page_start": 0},
        {"page_start": -1},
        {"page_end": 0},
        {"page_start": True},
        {"page_start": 1.0},
        {"page_start": "1"},
        {"page_start": 10**7},
        {"page_start": 5, "page_end": 4},
        {"include_images": 1},
        {"include_images": "true"},
        {"include_images": None},
        {"use_cache": "yes"},
        {"priority": 10},
        {"priority": -1},
        {"priority": True},
        {"priority": 5.0},
        {"timeout_s": 0},
        {"timeout_s": 86401},
        {"timeout_s": "60"},
        {"max_attempts": 0},
        {"max_attempts": 11},
        {"target_id": ""},
        {"target_id": "x" * 256},
        {"target_id": 3},
        {"template": "../MeetingMinutes"},
        {"template": "a/b"},
        {"template": ""},
        {"template": 7},
        {"context": "text"},
        {"context": {"a": "x" * 1024 * 1024}},
        {"target_language": "German, please"},
        {"ocr_engine": "abbyy"},
        {"include_preview_pages": None},
        {"include_high_res_pages": 1},
        {"file_hash": ""},
        {"file_hash": "5d41402a"},
        {"file_hash": "z" * 64},
        {"unheard_of": None},
    ],
    ids=repr,
)
def test_what_a_pdf_job_does_not_take_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        pdf(**changes)


@pytest.mark.parametrize(
    "webhook",
    [
        {},
        {"url": None},
        {"url": ""},
        {"url": 7},
        {"url": "ftp://example.com/hook"},
        {"url": "file:///etc/passwd"},
        {"url": "javascript:alert(1)"},
        {"url": "example.com/hook"},
        {"url": "//example.com/hook"},
        {"url": "http://"},
        {"url": "http:///hook"},
        {"url": "http://:8080/"},
        {"url": "http://[::1"},
        {"url": "http://example.com:port/"},
        {"url": "http://example.com:99999/"},
        {"url": "http://exam\nple.com/"},
        {"url": " http://example.com/"},
        {"url": "https://example.com/" + "x" * 2048},
        {"url": HOOK, "token": ""},
        {"url": HOOK, "token": 7},
        {"url": HOOK, "token": "x" * 256},
        {"url": HOOK, "jobId": 7},
        {"url": HOOK, "job_id": "not the seed's spelling"},
        {"url": HOOK, "secret": "unknown"},
        HOOK,
        [HOOK],
        True,
    ],
    ids=repr,
)
def test_a_webhook_that_cannot_be_called_is_refused(webhook: Any) -> None:
    with pytest.raises(ValidationError):
        pdf(webhook=webhook)


@pytest.mark.parametrize(
    "url", [HOOK, "http://127.0.0.1:8080", "http://[::1]:9000/hook?x=1", "HTTPS://example.com/h%C3%BC"]
)
def test_a_webhook_on_any_http_address_is_taken(url: str) -> None:
    """Whether the address may be reached is another question (piperoll.addresses)."""
    taken = pdf(webhook={"url": url}).webhook
    assert taken is not None
    assert taken.url == url


@pytest.mark.parametrize(
    "changes",
    [
        {"behaviour": "explode"},
        {"sleep_s": -1},
        {"sleep_s": float("nan")},
        {"sleep_s": float("inf")},
        {"sleep_s": True},
        {"sleep_s": "1"},
        {"steps": 1001},
        {"steps": 1.5},
        {"until_attempt": 0},
        {"error_code": ""},
        {"filename": "a.pdf"},
    ],
    ids=repr,
)
def test_what_a_noop_job_does_not_take_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        NoopParameters.model_validate(changes)


def test_a_noop_job_takes_nothing_and_whole_seconds() -> None:
    assert NoopParameters.model_validate({}).behaviour == "succeed"
    assert NoopParameters.model_validate({"sleep_s": 2}).sleep_s == 2.0
