"""Sessions whose page, template, names or archive fail.
See docs/contract/secretary.md#session-run, line by line."""

import pytest

from schemas.errors import ErrorCode
from services.worker.errors import ProcessingError
from tests.support.runs.session import notes_with
from tests.support.servers.mistral import CHAT, refused


@pytest.mark.parametrize(
    ("prepare", "retryable"),
    [
        (lambda site: site.status("/bad", 404), False),
        (lambda site: site.status("/bad", 503), True),
        (lambda site: site.gone("/bad"), True),
        (lambda site: "http://169.254.169.254/latest", False),
    ],
    ids=["missing", "broken", "gone", "blocked"],
)
def test_a_page_that_cannot_be_fetched_ends_the_run(offline, prepare, retryable):
    with pytest.raises(ProcessingError) as caught:
        offline.run(url=prepare(offline.site))
    assert caught.value.code is ErrorCode.URL_FETCH_ERROR
    assert caught.value.retryable is retryable


def test_a_page_has_thirty_seconds_at_most(offline, monkeypatch):
    monkeypatch.setattr("services.worker.processors.session.inputs.PAGE_TIMEOUT_S", 0.3)
    with pytest.raises(ProcessingError, match=r"0\.3 s") as caught:
        offline.run(url=offline.site.drip("/drip"))
    assert caught.value.code is ErrorCode.URL_FETCH_ERROR


@pytest.mark.parametrize(("content", "media_type"), [(b"%PDF-1.7", "application/pdf"), (b"<p></p>", "text/html")])
def test_a_page_without_words_ends_the_run(offline, content, media_type):
    with pytest.raises(ProcessingError) as caught:
        offline.run(url=offline.site.file("/page", content, media_type))
    assert caught.value.code is ErrorCode.URL_TRANSFORMATION_ERROR


def test_names_stay_when_the_chat_model_fails_and_the_run_goes_on(online, mistral):
    mistral.then(CHAT, refused(500))
    document = online.run()
    assert "/sessions/Soil Days/de/Main_Hall/on soil.md" in document["markdown_file"]
    assert len(notes_with(document, "Names were not translated")) == 1
    assert not online.result.cacheable


def test_a_template_that_cannot_be_filled_ends_the_run_with_the_code_it_failed_with(online, mistral):
    mistral.then(CHAT, refused(429, Retry_After="7"))
    with pytest.raises(ProcessingError) as caught:
        online.run(target_language="en", template="Trial_de")
    assert (caught.value.code, caught.value.retryable, caught.value.retry_after_s) == (ErrorCode.RATE_LIMITED, True, 7)


def test_an_archive_that_cannot_be_made_fails_nothing(offline):
    (offline.workspace.folder / "archive.zip").mkdir()
    document = offline.run()
    assert document["archive_filename"] is None
    assert len(notes_with(document, "archive could not be written")) == 1
    assert not offline.result.cacheable
