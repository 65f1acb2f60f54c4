"""Texts that do not fit are refused in words; sources and aliases of `pdf` jobs."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from schemas.job_types.noop import NoopParameters
from schemas.job_types.pdf import PdfParameters
from schemas.job_types.registry import OWN

PDF: dict[str, Any] = {"filename": "/srv/scans/a.pdf"}

PARAMETERS = {job_type.name: job_type.parameters for job_type in OWN}


def pdf(**changes: Any) -> PdfParameters:
    return PdfParameters.model_validate({**PDF, **changes})


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
        ("sync", {"source": "s3:///x"}, "must be file:///folder, or a bucket"),
        ("sync", {"source": "file://server/share"}, "must be file:///folder, or a bucket"),
        ("sync", {"source": "s3://bucket/a/%2e%2e/b"}, "must not contain '..'"),
        ("sync", {"source": "file:///data/%00"}, "must not contain line ends or other control characters"),
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
