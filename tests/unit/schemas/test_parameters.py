"""Parameters of jobs: what is taken, and every shape that is refused. What a file holds is the worker's business."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from schemas.job_types.noop import NoopParameters
from schemas.job_types.pdf import PdfParameters
from schemas.job_types.registry import OWN

PDF: dict[str, Any] = {"filename": "/srv/scans/a.pdf"}
HOOK = "https://example.com/hook"

PARAMETERS = {job_type.name: job_type.parameters for job_type in OWN}


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
    "url", [HOOK, "http://127.0.0.1:8080", "http://[::1]:9000/hook?x=1", "HTTPS://user:secret@example.com/h%C3%BC"]
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


@pytest.mark.parametrize(
    ("job_type", "changes", "sentence"),
    [
        ("pdf", {"template": "../MeetingMinutes"}, "must be a template's name without folder or ending"),
        ("transformer", {"template": "a/b"}, "must be a template's name without folder or ending"),
        ("session", {"template": "Session.md"}, "must be a template's name without folder or ending"),
        ("pdf", {"target_language": "German, please"}, "must be the code of a language, such as de or de-AT"),
        ("transformer", {"source_language": "d"}, "must be the code of a language, such as de or de-AT"),
        ("transformer", {"additional_field_descriptions": {"1st": "x"}}, "must be a field's name"),
        ("session", {"day": "28.02.2026"}, "must be a day written YYYY-MM-DD"),
        ("session", {"day": "2026-02-30"}, "day"),
        ("session", {"starttime": "9 a.m."}, "must be a time of day written HH:MM"),
        ("session", {"endtime": "24:00"}, "must be a time of day written HH:MM"),
        ("sync", {"source": "https://example.com/"}, "must begin with one of file://, s3://"),
        ("sync", {"source": "s3://key:secret@bucket/x"}, "must not contain a user or password"),
        ("sync", {"source": "s3://bucket/x?versions"}, "must not contain ? or #"),
        ("sync", {"source": "s3:///x"}, "must be file:///folder, or name a bucket"),
        ("sync", {"source": "file://server/share"}, "must be file:///folder, or name a bucket"),
        ("sync", {"source": "s3://bucket/a/%2e%2e/b"}, "must not contain '..'"),
        ("sync", {"source": "file:///a\nb"}, "must not contain line ends"),
        ("pdf", {"file_hash": "abc"}, "must be the MD5 or the SHA-256 of the file"),
        ("pdf", {"url": "https://user:word@example.com/a.pdf"}, "must not contain a user or password"),
        ("transformer", {"url": "https://user:word@example.com"}, "must not contain a user or password"),
    ],
)
def test_a_text_that_does_not_fit_is_refused_in_words(job_type: str, changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValidationError) as refused:
        PARAMETERS[job_type].model_validate(changes)
    (field,) = changes
    messages = [problem["msg"] for problem in refused.value.errors() if problem["loc"][0] == field]
    assert len(messages) == 1
    assert sentence in messages[0]


def test_both_sources_and_neither_get_the_same_plain_sentence() -> None:
    for changes in ({"filename": None}, {"url": "https://example.com/a.pdf"}):
        with pytest.raises(ValidationError, match="exactly one of filename and url is required"):
            pdf(**changes)


def test_a_url_stands_in_for_a_filename() -> None:
    taken = PdfParameters.model_validate({"url": "https://example.com/a.pdf?x=1"})
    assert (taken.url, taken.filename) == ("https://example.com/a.pdf?x=1", None)


def test_everything_that_the_contract_names_for_a_pdf_is_taken() -> None:
    taken = pdf(
        extraction_method="mistral_ocr_with_pages",
        template="MeetingMinutes",
        context={"event": "Tagung", "speakers": ["A", "B"]},
        target_language="de",
        include_ocr_images=False,
        include_preview_pages=False,
        include_high_res_pages=True,
        ocr_engine="tesseract",
        file_hash="5d41402abc4b2a76b9719d911017c592",
    )
    assert (taken.include_preview_pages, taken.include_high_res_pages) == (False, True)


@pytest.mark.parametrize(
    ("asked", "method"),
    [("ocr", "tesseract_ocr"), ("combined", "both"), ("openai_vision", "llm"), ("native", "native")],
)
def test_an_alias_keeps_its_name_and_means_its_method(asked: str, method: str) -> None:
    taken = pdf(extraction_method=asked)
    assert (taken.extraction_method, taken.method) == (asked, method)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=6,
)
fields = sorted({*(name for model in PARAMETERS.values() for name in model.model_fields), "jobId"})


@given(
    st.sampled_from(sorted(PARAMETERS)), st.dictionaries(st.sampled_from(fields), json_values, max_size=4) | json_values
)
def test_no_json_value_raises_anything_but_a_validation_error(job_type: str, value: Any) -> None:
    refused = None
    try:
        taken = PARAMETERS[job_type].model_validate(value)
    except ValidationError as error:
        refused = {problem["type"] for problem in error.errors()}
    if refused is None:
        assert PARAMETERS[job_type].model_validate(taken.model_dump(by_alias=True)) == taken
    else:
        assert "string_pattern_mismatch" not in refused, "a pattern is not a sentence"


@given(st.sampled_from(["http://", "https://", "HTTP://[", ""]), st.text(max_size=30))
def test_no_url_raises_anything_but_a_validation_error(scheme: str, rest: str) -> None:
    try:
        taken = pdf(webhook={"url": scheme + rest}).webhook
    except ValidationError:
        return
    assert taken is not None
    assert not any(character.isspace() or ord(character) < 32 for character in taken.url)


def test_what_is_supported_is_what_is_taken() -> None:
    for behaviour in NoopParameters.SUPPORTED["behaviour"]:
        NoopParameters.model_validate({"behaviour": behaviour})
    for method in PdfParameters.SUPPORTED["extraction_method"]:
        pdf(extraction_method=method)
