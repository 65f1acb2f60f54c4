"""The `transformer` processor on texts: without a provider and with one."""

import json
from pathlib import Path

import pytest

from schemas.errors import ErrorCode
from services.worker.providers import Providers, ProviderSetup
from tests.support.runs.transformer import PEOPLE, SUMMARY, Run, failure
from tests.support.servers.mistral import CHAT, KEY, MistralServer, completion

MINUTES = """Participants: Ada Lovelace, Grace Hopper

We agreed to ship the importer on Friday. Grace showed the new dashboard.

Action items:
- Ada: write the release notes
- Grace: book the room
"""

TASKS = ["Ada: write the release notes", "Grace: book the room"]


@pytest.fixture
def online(tmp_path: Path, mistral: MistralServer) -> Run:
    return Run(tmp_path, Providers(ProviderSetup(mistral_key=KEY, mistral_url=mistral.url)))


def test_without_a_key_rules_fill_the_minutes_and_this_is_logged(offline: Run) -> None:
    result = offline(text=MINUTES, template="MeetingMinutes")
    fields = result.structured_data["template_fields"]
    assert (fields["summary"], fields["participants"], fields["action_items"]) == (SUMMARY, PEOPLE, TASKS)
    assert fields["decisions"] == []
    text = result.structured_data["transformed_text"]
    assert "## Summary\n\n" + SUMMARY in text
    assert "- Ada Lovelace\n- Grace Hopper" in text
    assert "- Ada: write the release notes\n- Grace: book the room" in text
    assert any("local rules" in note for note in result.notes)


def test_the_result_has_its_parts_twice_and_two_files(offline: Run) -> None:
    document = offline(text=MINUTES, template="MeetingMinutes").body("there")
    assert document["transformed_text"] == document["structured_data"]["transformed_text"]
    assert document["template_fields"] == document["structured_data"]["template_fields"]
    assert [Path(asset).name for asset in document["assets"]] == ["transformed.md", "template_fields.json"]
    assert offline.kept("transformed.md") == document["transformed_text"]
    assert json.loads(offline.kept("template_fields.json")) == document["template_fields"]


def test_the_steps_are_those_of_the_contract(offline: Run) -> None:
    offline(text=MINUTES, template="MeetingMinutes")
    assert offline.reports == [
        ("initializing", 0),
        ("loading_template", 20),
        ("transforming_text", 50),
        ("finalizing", 90),
    ]


def test_with_a_key_the_model_gets_everything_and_fills_the_fields(online: Run, mistral: MistralServer) -> None:
    mistral.fields = {"summary": "Kurz.", "participants": PEOPLE, "action_items": None}
    result = online(
        text=MINUTES,
        template="MeetingMinutes",
        context={"project": "Importer"},
        target_language="de",
        additional_field_descriptions={"summary": "One sentence only.", "mood": "How they felt."},
        model="another",
    )
    fields = result.structured_data["template_fields"]
    assert (fields["summary"], fields["participants"], fields["action_items"]) == ("Kurz.", PEOPLE, "")
    assert fields["mood"] == "the mood"
    asked = mistral.requests(CHAT)[0].json
    system, user = (message["content"] for message in asked["messages"])
    assert asked["model"] == "another"
    assert "language de" in system
    assert "JSON" in system
    assert MINUTES in user
    assert '"project": "Importer"' in user
    assert "One sentence only." in user
    assert any("filled by the model another" in note for note in result.notes)


def test_rules_can_be_asked_for_though_there_is_a_model(online: Run, mistral: MistralServer) -> None:
    fields = online(text=MINUTES, template="MeetingMinutes", provider="local").structured_data["template_fields"]
    assert fields["summary"] == SUMMARY
    assert mistral.requests(CHAT) == []


def test_a_model_that_is_asked_for_and_not_there_fails_the_job(offline: Run) -> None:
    error = failure(offline, text=MINUTES, template="MeetingMinutes", provider="mistral")
    assert (error.code, error.retryable) == (ErrorCode.TEMPLATE_TRANSFORMATION_ERROR, False)
    assert "MISTRAL_API_KEY" in error.message


def test_a_model_that_answers_no_json_twice_fails_the_job_and_nothing_is_kept(
    online: Run, mistral: MistralServer
) -> None:
    mistral.then(CHAT, completion("no"), completion("no"))
    assert failure(online, text=MINUTES, template="MeetingMinutes").code is ErrorCode.JSON_PARSE_ERROR
    assert online.workspace.blobs.delete_folder("job-1") == 0


def test_a_template_of_the_job_s_own_with_its_own_prompt(online: Run, mistral: MistralServer) -> None:
    mistral.fields = {"head": "Title"}
    result = online(
        text="Words",
        template_content="---\nhead: {{head|x}}\nteam: {{team}}\n---\n{{text}}\n"
        "--- systemprompt\nSpeak {target_language}!",
        context={"team": "Blue"},
    )
    assert result.structured_data["transformed_text"] == '---\nhead: "Title"\nteam: "Blue"\n---\nWords\n'
    assert mistral.requests(CHAT)[0].json["messages"][0]["content"].startswith("Speak en!")


@pytest.mark.parametrize("content", ["---\nnever closed", "{{a|with } in it}}"])
def test_a_broken_template_fails_the_job(offline: Run, content: str) -> None:
    error = failure(offline, text="x", template_content=content)
    assert (error.code, error.retryable, error.error_type) == (ErrorCode.TEMPLATE_ERROR, False, "TemplateReadError")


def test_an_unknown_template_fails_the_job(offline: Run) -> None:
    assert failure(offline, text="x", template="Nonsense").code is ErrorCode.TEMPLATE_ERROR
