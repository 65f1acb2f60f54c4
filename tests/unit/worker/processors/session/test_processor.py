"""The `session` processor over a local web site and Mistral server: what a whole run makes.
See docs/contract/secretary.md#session-run, line by line."""

import base64
import zipfile
from pathlib import Path

import pytest
import yaml

from tests.support.files.media import film, speech
from tests.support.servers.mistral import AUDIO, CHAT

STEPS = {
    "initializing": (0, 0),
    "fetching_page": (10, 10),
    "downloading_media": (30, 30),
    "processing_video": (50, 50),
    "processing_attachments": (70, 89),
    "generating_markdown": (90, 90),
}
"""docs/contract/secretary.md#steps: the percents that each step may show, in the order of the steps."""


@pytest.fixture
def mistral(mistral):
    mistral.fields = {"title": "Vom Boden", "summary": "Boden lebt.", "slides": []}
    mistral.words = lambda system, user: f"Über {user}"
    mistral.speech = "  Good\n morning   everybody. "
    return mistral


@pytest.fixture
def whole(online, mistral):
    """A run with everything: page, video, attachment, provider."""
    mistral.fields["slides"] = [{"page_num": 2, "title": "Zweite", "summary": "Zwei|drei"}]
    online.site.file("/talk.mp4", film(seconds=1), "video/mp4")
    online.run(video_url=online.site.url("/talk.mp4"), attachments_url=online.attach(), speakers=["Ada"])
    return online


def test_a_run_reports_its_steps_in_order_and_percent_never_falls(whole):
    assert whole.steps() == list(STEPS)
    percents = [percent for _, percent in whole.reports]
    assert percents == sorted(percents)
    assert all(STEPS[step][0] <= percent <= STEPS[step][1] for step, percent in whole.reports)


def test_the_markdown_lies_under_event_language_and_track_in_the_target_language(whole):
    target = Path(whole.document["target_dir"])
    file = target / "sessions" / "Über Soil Days" / "de" / "Über Main_Hall" / "Über on soil.md"
    assert whole.document["markdown_file"] == str(file)
    assert file.read_text() == whole.document["markdown_content"]


def test_the_markdown_has_front_matter_player_and_slides(whole):
    text = whole.document["markdown_content"]
    assert text.startswith('---\ntitle: "Vom Boden"\nevent: "Soil-Days"\nslides: [{"page_num": 1, ')
    assert "\n# On soil: a talk\n" in text
    assert f'<video src="{whole.site.url("/talk.mp4")}"' in text
    assert "\nBoden lebt.\n" in text
    assert "| ![1](../../assets/The%20slides/preview_001.jpg) | **Page 1** — This is page 1. |" in text
    assert "| ![2](../../assets/The%20slides/preview_002.jpg) | **Zweite** — Zwei\\|drei |" in text


def test_the_front_matter_of_the_template_that_ships_is_yaml(whole):
    whole.workspace = whole.new_workspace()
    whole.run(template="Session", attachments_url=whole.attach(), speakers=['Anna "A" Übel', "B: C"], day="2026-02-28")
    _, front, _ = whole.document["markdown_content"].split("---\n", 2)
    matter = yaml.safe_load(front)
    assert matter["speakers"] == ['Anna "A" Übel', "B: C"]
    assert (matter["day"], matter["session"], matter["language"]) == ("2026-02-28", "On soil: a talk", "de")
    assert [slide["image_url"] for slide in matter["slides"]] == [
        f"../../assets/The%20slides/preview_00{page}.jpg" for page in (1, 2)
    ]


def test_the_result_has_the_keys_of_both_documents_of_the_contract(whole):
    document = whole.document
    documented = {"markdown_file", "markdown_content", "attachments", "video_transcript", "target_dir"}
    in_code = {"web_text", "attachments_text", "attachments_url", "archive_filename", "page_texts", "asset_dir"}
    assert documented | in_code | {"structured_data", "assets", "files"} <= set(document)
    assert document["assets"] == document["attachments"]
    assert document["assets"] == [f"{document['asset_dir']}/preview_00{page}.jpg" for page in (1, 2)]
    assert all(Path(asset).read_bytes()[:2] == b"\xff\xd8" for asset in document["assets"])
    assert "Soil is alive." in document["web_text"].split("\n")
    assert document["page_texts"][1].startswith("# Page 2")
    assert "archive_data" not in document


def test_structured_data_are_the_fields_of_the_template_and_the_slides(whole):
    fields = whole.document["structured_data"]
    assert (fields["title"], fields["summary"]) == ("Vom Boden", "Boden lebt.")
    assert set(fields["slides"][0]) == {"page_num", "title", "slide_text", "summary", "image_url"}
    assert "This is page 1." in base64.b64decode(fields["slides"][0]["slide_text"]).decode()


def test_the_video_is_transcribed_in_the_source_language_and_in_one_line(whole, mistral):
    assert whole.document["video_transcript"] == "Good morning everybody."
    (request,) = mistral.requests(AUDIO)
    assert request.parts["language"][1] == b"en"
    assert request.parts["file"][1][:3] == b"ID3"


def test_the_model_is_given_page_slides_and_context(whole, mistral):
    asked = mistral.requests(CHAT)[-1].json["messages"][-1]["content"]
    for part in ("Soil is alive.", "--- Slide 2 ---", '"video_transcript": "Good morning everybody."', '"Ada"'):
        assert part in asked


def test_the_archive_has_the_layout_of_the_folder_and_a_readme(whole):
    name = whole.document["files"]["archive"]
    assert name == whole.document["archive_filename"] == "On soil_ a talk.zip"
    with zipfile.ZipFile(Path(whole.document["target_dir"]) / name) as archive:
        assert archive.namelist() == [
            "README.md",
            "Über Soil Days/de/Über Main_Hall/Über on soil.md",
            "Über Soil Days/assets/The slides/preview_001.jpg",
            "Über Soil Days/assets/The slides/preview_002.jpg",
        ]
        assert "Language: DE (from EN)" in archive.read("README.md").decode()
        assert archive.read(archive.namelist()[1]).decode() == whole.document["markdown_content"]


def test_a_whole_run_may_be_used_again(whole):
    assert whole.result.cacheable
    assert whole.result.pages == 2


def test_a_name_is_translated_once_a_run(online, mistral):
    online.run(event="Same", track="Same", filename="Same.md")
    in_words = [one for one in mistral.requests(CHAT) if one.json.get("response_format") is None]
    assert len(in_words) == 1


def test_sound_alone_is_transcribed_as_well(online):
    online.site.file("/talk.wav", speech(seconds=1), "audio/wav")
    assert online.run(video_url=online.site.url("/talk.wav"))["video_transcript"] == "Good morning everybody."
