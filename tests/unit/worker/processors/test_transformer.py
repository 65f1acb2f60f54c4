"""The `transformer` processor by itself: without a provider, with one, and on pages of a local web site."""

import json
from collections.abc import Iterator
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from piperoll.store.blobs import Blobs
from schemas.errors import ErrorCode
from schemas.job_types.transformer import TransformerParameters
from services.worker.errors import ProcessingError
from services.worker.processors import transformer
from services.worker.providers import Providers, ProviderSetup
from services.worker.run.workspace import Limits, Result, Workspace
from tests.support.servers.mistral import CHAT, KEY, MistralServer, says
from tests.support.servers.website import Website
from tests.support.waiting import PATIENCE_S

MINUTES = """Participants: Ada Lovelace, Grace Hopper

We agreed to ship the importer on Friday. Grace showed the new dashboard.

Action items:
- Ada: write the release notes
- Grace: book the room
"""
SUMMARY = "We agreed to ship the importer on Friday. Grace showed the new dashboard."
PEOPLE = ["Ada Lovelace", "Grace Hopper"]
TASKS = ["Ada: write the release notes", "Grace: book the room"]


class Run:
    """A run of the processor: its workspace on this disk, and what it reported."""

    def __init__(self, folder: Path, providers: Providers, networks: str = "127.0.0.0/8") -> None:
        self.reports: list[tuple[str, int]] = []
        self.workspace = Workspace(
            job_id="job-1",
            run="run-1",
            owner="owner",
            attempt=1,
            blobs=Blobs(f"file://{folder}/blobs"),
            limits=Limits((), 1_000_000, 10, networks=(ip_network(networks),), fetch_timeout_s=PATIENCE_S),
            scratch=folder / "scratch",
            providers=providers,
        )

    def __call__(self, **parameters: Any) -> Result:
        known = {"source_language": "en", "target_language": "en"}
        return transformer.process(
            TransformerParameters.model_validate(known | parameters), self.workspace, self._report
        )

    def _report(self, step: str, percent: int, *_: Any, **__: Any) -> None:
        self.reports.append((step, percent))

    def kept(self, name: str) -> str:
        return self.workspace.blobs.get(f"job-1/run-1/{name}").decode()


@pytest.fixture
def offline(tmp_path: Path) -> Run:
    return Run(tmp_path, Providers())


@pytest.fixture
def online(tmp_path: Path, mistral: MistralServer) -> Run:
    return Run(tmp_path, Providers(ProviderSetup(mistral_key=KEY, mistral_url=mistral.url)))


def failure(run: Run, **parameters: Any) -> ProcessingError:
    with pytest.raises(ProcessingError) as failed:
        run(**parameters)
    assert len(failed.value.message.split()) >= 4
    return failed.value


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
    mistral.then(CHAT, says("no"), says("no"))
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


# --- pages ------------------------------------------------------------------------------------------------------------


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


# --- parameters -------------------------------------------------------------------------------------------------------


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
