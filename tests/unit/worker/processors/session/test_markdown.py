"""Templates to look for, the text and context that fill them, and the placeholders of a session."""

from dataclasses import replace

import pytest

from piperoll.templates import parse, render
from schemas.job_types.session import SessionParameters
from services.worker.processors.session import markdown as session_markdown

GIVEN = {
    "event": "E",
    "session": "S",
    "url": "https://example.com/talk",
    "filename": "talk.md",
    "track": "T",
}
CONTEXT_KEYS = {
    *("event", "session", "track", "day", "starttime", "endtime", "speakers", "speakers_url", "speakers_image_url"),
    *("url", "video_url", "video_mp4_url", "video_transcript", "attachments_url", "attachment_paths", "page_count"),
    *("cache_key", "source_language", "target_language", "template"),
}


@pytest.mark.parametrize(
    ("template", "language", "names"),
    [
        ("Session", "de", ("Session_de", "Session", "Session_en")),
        ("Session", "en", ("Session_en", "Session")),
        ("Talk", "fr", ("Talk_fr", "Talk", "Session_en")),
    ],
)
def test_the_template_of_the_language_comes_first_and_english_last(template, language, names):
    assert session_markdown.template_names(template, language) == names


def test_a_template_is_filled_from_the_page_and_the_slides():
    text = session_markdown.model_text("The page", ["First", " ", "Third\n"])
    assert text == "The page\n\n--- Slide 1 ---\nFirst\n\n--- Slide 3 ---\nThird"


def test_the_context_has_every_key_of_the_contract_and_no_null():
    asked = SessionParameters(**GIVEN)
    context = session_markdown.context(asked, "", [], 0, "Session_de", "key")
    assert set(context) >= CONTEXT_KEYS
    assert None not in context.values()
    assert (context["source_language"], context["target_language"], context["template"]) == ("en", "de", "Session_de")


def test_the_context_has_what_was_given_and_found():
    video = "https://example.com/v.MP4?x=1"
    asked = SessionParameters(**GIVEN, day="2026-02-28", speakers=["A", "B"], video_url=video)
    context = session_markdown.context(asked, "spoken", ["../a.jpg"], 1, "Session_de", "key")
    assert (context["day"], context["speakers"], context["video_mp4_url"]) == ("2026-02-28", ["A", "B"], video)
    assert (context["video_transcript"], context["attachment_paths"], context["page_count"]) == (
        "spoken",
        ["../a.jpg"],
        1,
    )


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("https://vimeo.com/123456", "https://player.vimeo.com/video/123456"),
        ("https://vimeo.com/123456/abc123def0", "https://player.vimeo.com/video/123456?h=abc123def0"),
        ("https://player.vimeo.com/video/123456?h=abc123def0", "https://player.vimeo.com/video/123456?h=abc123def0"),
        ("https://vimeo.com/channels/staff/123456", "https://player.vimeo.com/video/123456"),
    ],
)
def test_vimeo_gets_its_player_in_a_frame(url, address):
    assert f'<iframe src="{address}"' in session_markdown.player(url)


@pytest.mark.parametrize("url", ["https://example.com/v.mp4", "https://vimeo.com/about", "https://notvimeo.com/123"])
def test_other_videos_get_a_video_element(url):
    assert session_markdown.player(url).startswith(f'<video src="{url}"')


def test_an_address_cannot_leave_its_attribute():
    assert '"><script>' not in session_markdown.player('https://example.com/"><script>')


def test_placeholders_become_variables_and_those_for_nothing_leave_no_hole():
    text = "# Talk\n\n{videoplayer}\n\n{slides}\n\n{{slides}} {{videoplayer}} End {videoplayer}.\n"
    given = {session_markdown.TABLE: "| a |"}
    placed = session_markdown.placed(text, given)
    assert placed == "# Talk\n\n{{slidetable}}\n\n{{slides}} {{videoplayer}} End .\n"


def test_what_is_put_in_is_never_looked_at_again():
    context = {session_markdown.TABLE: "{videoplayer} {{event}}", session_markdown.PLAYER: "<video>", "event": "E"}
    template = parse("{slides}\n{videoplayer}\n")
    placed = replace(template, body=session_markdown.placed(template.body, context))
    assert render(placed, {}, context, "") == "{videoplayer} {{event}}\n<video>\n"
