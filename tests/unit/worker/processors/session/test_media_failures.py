"""Sessions whose video or attachment fails (docs/contract/secretary.md#session-run, line by line)."""

import pytest

from tests.support.files.media import film, speech
from tests.support.files.pdf import DOCX, zip_bomb
from tests.support.runs.session import notes_with
from tests.support.servers.mistral import AUDIO, OCR, malformed, refused


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
    ("limits", "prepare", "note"),
    [
        ({"media_bytes": 1000}, lambda site: site.announced("/v.mp4", 1001), "more than 1,000 bytes"),
        ({"media_timeout_s": 0.3}, lambda site: site.drip("/v.mp4"), "within 0.3 s"),
    ],
    ids=["size", "time"],
)
def test_a_video_has_its_limits(online, limits, prepare, note):
    online.workspace = online.new_workspace(**limits)
    document = online.run(video_url=prepare(online.site))
    assert notes_with(document, "The video cannot be fetched") == notes_with(document, note)
    assert len(notes_with(document, note)) == 1


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


def test_an_internal_fault_while_the_attachment_is_read_ends_the_run(online):
    """docs/contract/secretary.md#session-run: any other exception is fatal. Here the disk refuses
    the previews."""
    (online.workspace.folder / "previews").write_bytes(b"in the way")
    with pytest.raises(FileExistsError):
        online.run(attachments_url=online.attach())
