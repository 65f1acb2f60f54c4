"""What becomes of a session when a part of it fails (contract 13, line by line)."""

import pytest

from schemas.errors import ErrorCode
from services.worker.errors import ProcessingError
from tests.support.files.media import film, speech
from tests.support.files.pdf import DOCX, zip_bomb
from tests.support.runs.session import Stage, notes_with
from tests.support.servers.mistral import AUDIO, CHAT, OCR, malformed, refused
from tests.support.servers.website import Website


@pytest.fixture(scope="module")
def site():
    with Website() as serving:
        serving.page("/talk", "On soil", "Soil is alive.", "Speaker: Somebody")
        yield serving


@pytest.fixture
def offline(tmp_path, site):
    return Stage(tmp_path, site)


@pytest.fixture
def online(tmp_path, site, mistral):
    return Stage(tmp_path, site, mistral)


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


@pytest.mark.parametrize(
    "prepare",
    [
        lambda site, mistral: site.status("/v.mp4", 404),
        lambda site, mistral: site.file("/v.mp4", b"<html>", "text/html"),
        lambda site, mistral: site.file("/v.mp4", film(seconds=1, sound=False), "video/mp4"),
        lambda site, mistral: mistral.then(AUDIO, refused(500)) or site.file("/v.mp4", speech(1), "audio/wav"),
        lambda site, mistral: mistral.then(AUDIO, refused(401)) or site.file("/v.mp4", speech(1), "audio/wav"),
    ],
    ids=["missing", "page", "silent", "provider-500", "provider-401"],
)
def test_a_video_that_cannot_be_transcribed_leaves_an_empty_transcript_and_a_note(online, mistral, prepare):
    document = online.run(video_url=prepare(online.site, mistral))
    assert document["video_transcript"] == ""
    assert len(notes_with(document, "The video")) == 1
    assert not online.result.cacheable


def test_a_video_may_be_larger_and_take_longer_than_other_downloads(online):
    video = online.site.file("/v.mp4", film(seconds=1), "video/mp4")
    online.workspace = online.new_workspace(max_bytes=5000, media_bytes=1_000_000)
    document = online.run(video_url=video)
    assert document["video_transcript"] == "These words were spoken."
    assert online.result.bytes_in > 5000


@pytest.mark.parametrize(
    ("limits", "prepare", "said"),
    [
        ({"media_bytes": 1000}, lambda site: site.announced("/v.mp4", 1001), "more than 1,000 bytes"),
        ({"media_timeout_s": 0.3}, lambda site: site.drip("/v.mp4"), "within 0.3 s"),
    ],
    ids=["size", "time"],
)
def test_a_video_has_limits_of_its_own(online, limits, prepare, said):
    online.workspace = online.new_workspace(**limits)
    document = online.run(video_url=prepare(online.site))
    assert notes_with(document, "The video cannot be fetched") == notes_with(document, said)
    assert len(notes_with(document, said)) == 1


@pytest.mark.parametrize(
    "prepare",
    [
        lambda stage, mistral: stage.site.status("/s.pdf", 500),
        lambda stage, mistral: stage.site.file("/s.pdf", b"<html>", "text/html"),
        lambda stage, mistral: stage.site.file("/s.pdf", b"%PDF-1.7 and no more", "application/pdf"),
        lambda stage, mistral: stage.site.redirect("/s.pdf", "http://10.0.0.1/s.pdf"),
        lambda stage, mistral: stage.site.bomb("/s.pdf"),
        lambda stage, mistral: stage.site.file("/s.pdf", zip_bomb(), DOCX),
        lambda stage, mistral: stage.attach(pages=21),
        lambda stage, mistral: mistral.then(OCR, refused(500)) or stage.attach(),
        lambda stage, mistral: mistral.then(OCR, malformed()) or stage.attach(),
    ],
    ids=[
        "missing",
        "page",
        "damaged",
        "private",
        "bomb",
        "zip-bomb",
        "too-many-pages",
        "provider-500",
        "provider-malformed",
    ],
)
def test_an_attachment_that_cannot_be_processed_leaves_empty_lists_and_a_note(online, mistral, prepare):
    document = online.run(attachments_url=prepare(online, mistral))
    assert document["attachments"] == document["page_texts"] == []
    assert document["structured_data"]["slides"] == []
    assert len(notes_with(document, "The attachment")) == 1
    assert not online.result.cacheable


def test_a_fault_of_ours_while_the_attachment_is_read_ends_the_run(online):
    """Contract 13: an exception that is no processing error is fatal. Here the disk refuses the previews."""
    (online.workspace.folder / "previews").write_bytes(b"in the way")
    with pytest.raises(FileExistsError):
        online.run(attachments_url=online.attach())


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
