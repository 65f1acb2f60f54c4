"""The `transformer` processor on pages of a local web site."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from schemas.errors import ErrorCode
from schemas.job_types.transformer import TransformerParameters
from services.worker.providers import Providers
from tests.support.runs.transformer import PEOPLE, SUMMARY, Run, failure
from tests.support.servers.website import Website


@pytest.fixture
def site() -> Iterator[Website]:
    with Website() as running:
        yield running


def page_of(site: Website) -> str:
    return site.page("/minutes", "Weekly sync", "Participants: Ada Lovelace, Grace Hopper", SUMMARY)


def test_the_readable_text_of_a_page_is_taken_without_menu_and_small_print(offline: Run, site: Website) -> None:
    result = offline(url=page_of(site), template_content="{{title|x}}\n{{participants|x}}\n{{summary|x}}\n{{text}}")
    fields = result.structured_data["template_fields"]
    assert fields == {"title": "Weekly sync", "participants": PEOPLE, "summary": SUMMARY}
    assert "Imprint" not in result.structured_data["transformed_text"]
    assert "Cookies" not in result.structured_data["transformed_text"]
    assert offline.reports[2] == ("loading_template", 30)


def test_a_selector_takes_only_parts_of_a_page(offline: Run, site: Website) -> None:
    url = site.html("/list", "<ul><li class=x>one <b>two</b></li><li>three</li><li class=x>vier ü</li></ul>")
    result = offline(url=url, template_content="{{text}}", container_selector="li.x")
    assert result.structured_data["transformed_text"] == "one two\n\nvier ü"
    missing = failure(offline, url=url, template_content="{{text}}", container_selector="table")
    assert (missing.code, missing.retryable) == (ErrorCode.URL_TRANSFORMATION_ERROR, False)
    wrong = failure(offline, url=url, template_content="{{text}}", container_selector="li[")
    assert wrong.code is ErrorCode.URL_TRANSFORMATION_ERROR


def test_plain_text_behind_a_url_is_taken_as_it_is(offline: Run, site: Website) -> None:
    url = site.file("/notes.txt", "Grüße".encode("latin-1"), "text/plain; charset=iso-8859-1")
    assert offline(url=url, template_content="{{text}}").structured_data["transformed_text"] == "Grüße"


@pytest.mark.parametrize("charset", ["base64", "idna", "no-such", "utf-16", "mac_turkish", "x" * 500])
def test_a_charset_that_cannot_be_right_does_no_harm(offline: Run, site: Website, charset: str) -> None:
    url = site.file("/odd", b"<p>Some words of a page.</p>", f"text/html; charset={charset}")
    text = offline(url=url, template_content="{{text}}").structured_data["transformed_text"]
    assert text == "Some words of a page." or charset == "utf-16"


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (b"%PDF-1.7", "application/pdf"),
        (b"", "text/html"),
        (b"<html><body></body></html>", "text/html"),
        (b" ", "text/plain"),
    ],
)
def test_what_holds_no_text_fails_the_job(offline: Run, site: Website, content: bytes, media_type: str) -> None:
    error = failure(offline, url=site.file("/x", content, media_type), template_content="{{text}}")
    assert (error.code, error.retryable) == (ErrorCode.URL_TRANSFORMATION_ERROR, False)


@pytest.mark.parametrize(
    ("status", "error_type", "retryable"), [(404, "URL_NOT_FOUND", False), (500, "HTTP_ERROR", True)]
)
def test_a_page_that_cannot_be_fetched_fails_the_job_with_its_reason(
    offline: Run, site: Website, status: int, error_type: str, retryable: bool
) -> None:
    error = failure(offline, url=site.status("/s", status), template_content="{{text}}")
    assert (error.code, error.error_type, error.retryable) == (ErrorCode.URL_FETCH_ERROR, error_type, retryable)


def test_a_page_without_an_end_is_too_large(offline: Run, site: Website) -> None:
    assert failure(offline, url=site.endless("/e"), template_content="{{text}}").code is ErrorCode.FILE_TOO_LARGE


def test_a_private_page_is_blocked(tmp_path: Path, site: Website) -> None:
    guarded = Run(tmp_path, Providers(), networks="192.0.2.0/24")
    error = failure(guarded, url=page_of(site), template_content="{{text}}")
    assert (error.code, error.retryable) == (ErrorCode.BLOCKED_ADDRESS, False)


@pytest.mark.parametrize(
    "parameters",
    [
        {"template": "A"},
        {"text": "x"},
        {"text": "x", "url": "https://example.com", "template": "A"},
        {"text": "x", "template": "A", "template_content": "B"},
        {"text": "x", "template": "../A"},
        {"text": "x", "template": "a/b"},
        {"text": " ", "template": "A"},
        {"text": "x" * 100_001, "template": "A"},
        {"text": "x", "template_content": " "},
        {"text": "x", "template_content": "x" * (1024 * 1024 + 1)},
        {"text": "x", "template": "A", "context": {"a": "x" * (1024 * 1024)}},
        {"text": "x", "template": "A", "context": []},
        {"text": "x", "template": "A", "target_language": "../de"},
        {"text": "x", "template": "A", "additional_field_descriptions": {"a b": "x"}},
        {"text": "x", "template": "A", "additional_field_descriptions": {"a": 1}},
        {"text": "x", "template": "A", "container_selector": "p"},
        {"text": "x", "template": "A", "provider": "other"},
        {"text": "x", "template": "A", "provider": "local", "model": "m"},
        {"url": "ftp://example.com", "template": "A"},
        {"url": "https://exa mple.com", "template": "A"},
        {"text": "x", "template": "A", "no_such": 1},
    ],
)
def test_wrong_parameters_are_refused(parameters: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        TransformerParameters.model_validate(parameters)
