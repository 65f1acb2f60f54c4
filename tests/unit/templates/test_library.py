"""Where templates are found: those that ship, and those of the operator."""

from pathlib import Path

import pytest

from piperoll.templates import SHIPPED, TemplateReadError, available, listed, load, parse, render
from piperoll.templates.library import MAX_BYTES

ASKED_FOR = (
    "MeetingMinutes",
    "Session",
    "Session_de",
    "Session_en",
    "Besprechung",
    "BlogPost",
    "LectureNotes",
    "Interview",
    "Letter",
    "ProductSheet",
    "Summary",
)


def test_the_templates_that_ship_can_be_parsed_and_have_fields_and_a_prompt() -> None:
    assert sorted(ASKED_FOR) == available()
    for name in ASKED_FOR:
        template = parse(load(name)[1])
        assert template.fields, name
        assert "{target_language}" in template.system_prompt, name
        text = render(template, dict.fromkeys(template.fields, "value"), {}, "text")
        assert "|" not in text.replace("| |", "").replace("|---|---|", "") or name == "Letter", name


def test_minutes_ask_for_the_summary_the_participants_and_the_action_items() -> None:
    assert {"summary", "participants", "action_items"} <= set(parse(load("MeetingMinutes")[1]).fields)


def test_an_operator_s_template_goes_before_a_shipped_one_of_its_name(tmp_path: Path) -> None:
    (tmp_path / "MeetingMinutes.md").write_text("mine")
    (tmp_path / "Own.md").write_text("own")
    assert load("MeetingMinutes", tmp_path) == ("MeetingMinutes", "mine")
    assert load("Own", tmp_path)[1] == "own"
    assert "Own" in available(tmp_path)
    assert load("Summary", tmp_path)[1] == (SHIPPED / "Summary.md").read_text(encoding="utf-8")


def test_the_first_template_that_there_is_is_taken() -> None:
    assert load(("Session_fr", "Session", "Session_en"))[0] == "Session"


@pytest.mark.parametrize("name", ["../secret", "a/b", "a.b", "", "/etc/passwd", "Sess\u0456on", "a\x00", "a\n"])
def test_a_name_that_could_be_a_path_is_not_looked_for(name: str, tmp_path: Path) -> None:
    (tmp_path / "secret.md").write_text("secret")
    (tmp_path / "folder").mkdir()
    with pytest.raises(TemplateReadError):
        load(name, tmp_path / "folder")


def test_an_unknown_template_names_those_that_there_are() -> None:
    with pytest.raises(TemplateReadError, match="MeetingMinutes"):
        load("Nonsense")


@pytest.mark.parametrize("content", [b"\xff\xfe", b"x" * (MAX_BYTES + 1)])
def test_a_template_that_is_not_text_or_too_large_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "Bad.md").write_bytes(content)
    with pytest.raises(TemplateReadError):
        load("Bad", tmp_path)


def test_the_list_has_the_text_and_the_fields_of_each_and_why_one_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "Own.md").write_text("# {{title|A title.}}\n{{note}}\n")
    (tmp_path / "Summary.md").write_text("{{broken|")
    (tmp_path / "Bytes.md").write_bytes(b"\xff\xfe")
    by_name = {one.name: one for one in listed(tmp_path)}
    assert list(by_name) == available(tmp_path)
    own, broken, unread, shipped = (by_name[name] for name in ("Own", "Summary", "Bytes", "MeetingMinutes"))
    assert (own.own, own.content, own.problem) == (True, "# {{title|A title.}}\n{{note}}\n", None)
    assert own.fields == {"title": "A title."}
    assert (broken.own, broken.content, broken.fields) == (True, "{{broken|", {})
    assert "line 1" in (broken.problem or "")
    assert unread.content == ""
    assert "UTF-8" in (unread.problem or "")
    assert not shipped.own
    assert shipped.fields == parse(shipped.content).fields
