"""The `transformer` job over HTTP: by a chat model behind Mistral's wire format, and by local rules.
See docs/contract/secretary.md#transformer-parameters."""

from typing import Any

import pytest

from tests.support.servers.mistral import CHAT, MistralServer, completion, refused
from tests.support.servers.website import Website
from tests.support.stacks.system import System

MINUTES = """Participants: Ada Lovelace, Grace Hopper

We agreed to ship the importer on Friday. Grace showed the new dashboard.

Action items:
- Ada: write the release notes
- Grace: book the room
"""
SUMMARY = "We agreed to ship the importer on Friday. Grace showed the new dashboard."
PEOPLE = ["Ada Lovelace", "Grace Hopper"]
TASKS = ["Ada: write the release notes", "Grace: book the room"]


async def transformed(system: System, **parameters: Any) -> dict[str, Any]:
    known = {"source_language": "en", "target_language": "en", "use_cache": False}
    return await system.wait_for_end(await system.create("transformer", **(known | parameters)))


async def test_local_rules_fill_the_minutes_and_are_named_in_the_logs(system: System) -> None:
    job = await transformed(system, text=MINUTES, template="MeetingMinutes", provider="local")
    assert job["status"] == "completed", job
    results = job["results"]
    fields = results["template_fields"]
    assert (fields["summary"], fields["participants"], fields["action_items"]) == (SUMMARY, PEOPLE, TASKS)
    assert fields["decisions"] == []
    assert results["structured_data"] == {
        "transformed_text": results["transformed_text"],
        "template_fields": results["template_fields"],
    }
    assert "- Ada: write the release notes" in results["transformed_text"]
    assert [asset.rpartition("/")[2] for asset in results["assets"]] == ["transformed.md", "template_fields.json"]
    assert results["target_dir"]
    assert any("local rules" in entry["message"] for entry in job["logs"]), job["logs"]


async def test_a_chat_model_fills_the_minutes(system: System, mistral: MistralServer) -> None:
    answer = '{"summary": "All is agreed.", "participants": ["Ada", "Grace"], "action_items": ["Ada writes"]}'
    mistral.then(CHAT, completion(answer))
    job = await transformed(system, text=MINUTES, template="MeetingMinutes", target_language="de")
    fields = job["results"]["template_fields"]
    assert (fields["summary"], fields["participants"], fields["action_items"]) == (
        "All is agreed.",
        ["Ada", "Grace"],
        ["Ada writes"],
    )
    assert fields["decisions"] == ""
    asked = mistral.requests(CHAT)[-1].json
    assert MINUTES in asked["messages"][1]["content"]
    assert "language de" in asked["messages"][0]["content"]


async def test_the_completed_hook_has_the_text_and_the_fields(system: System) -> None:
    webhook = {"url": system.receiver.url("/transformed"), "token": "secret"}
    job_id = await system.create("transformer", text="Tags: a, b", template_content="[{{tags|x}}]", webhook=webhook)
    await system.wait_for_end(job_id)
    hooks = (await system.wait_for_final_hooks([job_id]))[job_id]
    final = hooks[-1]
    assert (final["phase"], final["message"]) == ("completed", "Template-Transformation abgeschlossen")
    assert final["data"] == {"transformed_text": "[the tags]", "template_fields": {"tags": "the tags"}}


async def test_the_former_name_of_the_job_type_is_accepted(system: System) -> None:
    job_id = await system.create("transformer_template", text="x", template_content="{{text}}")
    job = await system.wait_for_end(job_id)
    assert job["results"]["transformed_text"] == "x"


async def test_a_web_page_is_read_and_its_parts_can_be_selected(system: System, site: Website) -> None:
    url = site.page("/talks/one", "Weekly sync", "Participants: Ada Lovelace, Grace Hopper", SUMMARY)
    job = await transformed(system, url=url, template="MeetingMinutes", provider="local")
    fields = job["results"]["template_fields"]
    assert (fields["title"], fields["summary"], fields["participants"]) == ("Weekly sync", SUMMARY, PEOPLE)
    footer = await transformed(system, url=url, template_content="{{text}}", container_selector="footer")
    assert footer["results"]["transformed_text"] == "Cookies and small print"


async def test_a_busy_provider_is_retried_after_its_retry_after(system: System, mistral: MistralServer) -> None:
    mistral.then(CHAT, refused(429, Retry_After="1"), refused(500), completion('{"summary": "At last."}'))
    job = await transformed(system, text=MINUTES, template_content="{{summary|x}}")
    assert job["results"]["transformed_text"] == "At last."
    assert job["attempt"] == 3
    retries = [entry["message"] for entry in job["logs"] if "The next one follows" in entry["message"]]
    assert len(retries) == 2
    assert "in 1 s" in retries[0]


async def test_a_refused_key_is_not_retried(system: System, mistral: MistralServer) -> None:
    mistral.then(CHAT, refused(401))
    job = await transformed(system, text=MINUTES, template_content="{{summary|x}}")
    assert (job["status"], job["error"]["code"]) == ("failed", "TEMPLATE_TRANSFORMATION_ERROR")
    assert job["attempt"] == 1
    assert "MISTRAL_API_KEY" in job["error"]["message"]


async def test_two_answers_without_json_fail_the_job(system: System, mistral: MistralServer) -> None:
    mistral.then(CHAT, completion("Sure!"), completion("Here it is:"))
    job = await transformed(system, text=MINUTES, template_content="{{summary|x}}")
    assert (job["error"]["code"], job["attempt"]) == ("JSON_PARSE_ERROR", 1)
    assert "results" not in job


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ({"template": "NoSuchTemplate"}, "MeetingMinutes"),
        ({"template_content": "---\nnever closed"}, "front matter"),
        ({"template_content": "{{summary|with } in it}}"}, "line 1"),
    ],
)
async def test_a_template_that_is_missing_or_broken_fails_the_job(
    system: System, template: dict[str, str], words: str
) -> None:
    job = await transformed(system, text="x", **template)
    assert job["error"]["code"] == "TEMPLATE_ERROR"
    assert words in job["error"]["message"]
    assert job["error"]["details"]["error_type"] == "TemplateReadError"


async def test_a_page_that_cannot_be_fetched_or_parsed_fails_the_job(system: System, site: Website) -> None:
    codes = {
        site.url("/talks/nowhere"): "URL_FETCH_ERROR",
        site.status("/talks/broken", 500): "URL_FETCH_ERROR",
        site.file("/talks/paper.pdf", b"%PDF-1.7", "application/pdf"): "URL_TRANSFORMATION_ERROR",
        site.endless("/talks/endless"): "FILE_TOO_LARGE",
        site.redirect("/talks/away", "http://10.0.0.1/"): "BLOCKED_ADDRESS",
    }
    for url, code in codes.items():
        job = await transformed(system, url=url, template_content="{{text}}", max_attempts=1)
        assert (job["status"], job["error"]["code"]) == ("failed", code), url
        assert "results" not in job


@pytest.mark.parametrize(
    "parameters",
    [
        {"text": "x"},
        {"text": "x", "url": "https://example.com", "template": "MeetingMinutes"},
        {"text": "x", "template": "../../etc/passwd"},
        {"text": "x" * 100_001, "template": "MeetingMinutes"},
    ],
)
async def test_wrong_parameters_create_no_job(system: System, parameters: dict[str, Any]) -> None:
    body = {"job_type": "transformer", "parameters": parameters}
    reply = await system.client.post("/api/jobs/", json=body)
    assert reply.status_code == 400, reply.text
    assert reply.json()["error"]["code"] == "INVALID_PARAMETERS"
    assert reply.json()["error"]["details"]["fields"]
