"""The `session` processor with parts of its input alone, and without a provider.
See docs/contract/secretary.md#session-run."""

from pathlib import Path

from tests.support.files.voice import KEY_WORDS, SENTENCE, recording_of
from tests.support.runs.session import notes_with


def test_a_page_alone_makes_a_session_and_skips_the_other_steps(offline):
    document = offline.run()
    assert offline.steps() == ["initializing", "fetching_page", "generating_markdown"]
    assert document["attachments"] == []
    assert document["video_transcript"] == ""
    assert document["asset_dir"] is None
    assert "{videoplayer}" not in document["markdown_content"]
    assert "{slides}" not in document["markdown_content"]
    assert not notes_with(document, "video")


def test_a_given_transcript_spares_the_video(offline):
    document = offline.run(video_url=offline.site.url("/never.mp4"), video_transcript=" as\n given ")
    assert document["video_transcript"] == "as given"
    assert offline.site.requests("/never.mp4") == []
    assert offline.result.cacheable


def test_without_a_provider_names_stay_texts_are_native_and_this_is_noted(offline):
    asked = {"video_url": offline.site.url("/never.mp4"), "source_language": "fr"}  # the local recogniser has English
    document = offline.run(**asked, attachments_url=offline.attach())
    assert document["markdown_file"].endswith("/sessions/Soil Days/de/Main_Hall/on soil.md")
    assert document["page_texts"] == ["This is page 1.\n", "This is page 2.\n"]
    assert document["video_transcript"] == ""
    assert offline.site.requests("/never.mp4") == []
    for text in ("Names were not translated", "attachment's text layer", "was not transcribed", "local rules"):
        assert len(notes_with(document, text)) == 1
    assert offline.result.cacheable  # nothing failed: the next run would make the same


def test_without_a_provider_english_is_transcribed_on_this_machine(offline):
    video = offline.site.file("/voice.wav", recording_of(SENTENCE), "audio/wav")
    document = offline.run(video_url=video)
    assert [word for word in KEY_WORDS if word not in document["video_transcript"].lower()] == []
    assert not notes_with(document, "video")
    assert offline.result.cacheable


def test_no_archive_is_made_when_none_is_wanted(offline):
    document = offline.run(create_archive=False)
    assert document["archive_filename"] is None
    assert "files" not in document
    assert not list(Path(document["target_dir"]).glob("*.zip"))


def test_the_templates_that_ship_are_found_by_language_and_else_in_english(offline):
    german = offline.run(template="Session", target_language="de")["markdown_content"]
    offline.workspace = offline.new_workspace()
    other = offline.run(template="NoSuch", target_language="fr")["markdown_content"]
    assert "## Zusammenfassung" in german
    assert "## Summary" in other
