"""The `generation` processor by itself: by templates with and without a model, by a prompt, from a document's text."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from piperoll.store.blobs import BlobStoreError
from schemas.claims import Claim
from schemas.documents import ResolvedDocument
from schemas.errors import ErrorCode
from schemas.job_types.generation import GenerationParameters
from services.worker.errors import ProcessingError
from services.worker.processors import generation
from services.worker.providers import Providers, ProviderSetup
from services.worker.run.workspace import Result
from tests.support.runs.pdf import Reports, kept, workspace
from tests.support.servers.mistral import CHAT, KEY, MistralServer, completion, refused

MINUTES = "Participants: Ada, Grace\n\nWe agreed to ship on Friday.\n\nAction items:\n- Ada: write the notes\n"
CONTENT = Claim(uri="documents/doc-1/aa", sha256="a" * 64, size=3)


class Run:
    """A run of the processor, and what it reported."""

    def __init__(self, folder: Path, providers: Providers) -> None:
        self.place = workspace(folder, providers)
        self.reports = Reports()

    def __call__(self, **parameters: Any) -> Result:
        return generation.process(GenerationParameters.model_validate(parameters), self.place, self.reports)

    def know(self, document: dict[str, Any] | None, **changes: Any) -> None:
        """Has the job know a document whose extraction made this result document."""
        text = None
        if document is not None:
            text = self.place.blobs.put("job-0/run-0", json.dumps(document).encode(), "application/json")
            text = text.model_copy(update=changes)
        resolved = ResolvedDocument(document_id="doc-1", name="a.docx", content=CONTENT, text=text)
        self.place = replace(self.place, resolved=resolved)

    def refused(self, **parameters: Any) -> ProcessingError:
        with pytest.raises(ProcessingError) as caught:
            self(**parameters)
        assert caught.value.message.endswith(".")
        return caught.value


@pytest.fixture
def offline(tmp_path: Path) -> Run:
    return Run(tmp_path, Providers())


@pytest.fixture
def online(tmp_path: Path, mistral: MistralServer) -> Run:
    return Run(tmp_path, Providers(ProviderSetup(mistral_key=KEY, mistral_url=mistral.url)))


def test_without_a_model_rules_fill_a_template_and_this_is_logged(offline: Run) -> None:
    result = offline(text=MINUTES, template="MeetingMinutes", target_language="en")
    fields = result.structured_data["template_fields"]
    assert fields["participants"] == ["Ada", "Grace"]
    assert fields["action_items"] == ["Ada: write the notes"]
    assert "- Ada: write the notes" in result.structured_data["generated_text"]
    assert result.method == "local"
    assert any("local rules" in note for note in result.notes)
    assert any("Nothing was translated" in note for note in result.notes)
    assert kept(offline.place) == ["generated.md", "template_fields.json"]


def test_without_a_model_a_prompt_fails_for_good_with_an_instruction(offline: Run) -> None:
    error = offline.refused(text=MINUTES, prompt="Write a poem")
    assert (error.code, error.retryable, error.error_type) == (ErrorCode.PROVIDER_ERROR, False, "NoProviderKey")
    assert "MISTRAL_API_KEY" in error.message
    assert "use a template" in error.message


def test_a_model_answers_the_prompt(online: Run, mistral: MistralServer) -> None:
    mistral.then(CHAT, completion("  A poem.\n"))
    result = online(text=MINUTES, prompt="Write a poem", target_language="fr", model="mistral-small-latest")
    assert result.structured_data == {"generated_text": "A poem."}
    assert result.method == "mistral-small-latest"
    assert kept(online.place) == ["generated.md"]
    asked = mistral.requests(CHAT)[-1].json
    assert asked["model"] == "mistral-small-latest"
    question = asked["messages"][1]["content"]
    assert "Write a poem" in question
    assert "in the language fr" in question
    assert question.endswith(MINUTES)


def test_a_model_fills_a_template(online: Run, mistral: MistralServer) -> None:
    mistral.then(CHAT, completion('{"summary": "Ship it.", "participants": ["Ada"]}'))
    result = online(text=MINUTES, template="MeetingMinutes")
    assert result.structured_data["template_fields"]["summary"] == "Ship it."
    assert "Ship it." in result.structured_data["generated_text"]
    assert result.method == online.place.providers.chat_model


def test_an_empty_answer_of_a_model_fails_the_job(online: Run, mistral: MistralServer) -> None:
    mistral.then(CHAT, completion("  "))
    error = online.refused(text=MINUTES, prompt="Write a poem")
    assert (error.code, error.retryable) == (ErrorCode.PROVIDER_ERROR, True)


def test_a_busy_model_is_asked_again_later(online: Run, mistral: MistralServer) -> None:
    mistral.then(CHAT, refused(429, Retry_After="7"))
    error = online.refused(text=MINUTES, prompt="Write a poem")
    assert (error.code, error.retryable, error.retry_after_s) == (ErrorCode.RATE_LIMITED, True, 7.0)


def test_a_document_gives_the_text_of_its_extraction(online: Run, mistral: MistralServer) -> None:
    online.know({"structured_data": {"extracted_text": MINUTES}})
    mistral.then(CHAT, completion("A poem."))
    assert online(document_id="doc-1", prompt="Write a poem").structured_data["generated_text"] == "A poem."
    assert mistral.requests(CHAT)[-1].json["messages"][1]["content"].endswith(MINUTES)


def test_the_beginning_of_a_very_long_document_is_used_and_this_is_logged(offline: Run) -> None:
    offline.know({"structured_data": {"extracted_text": MINUTES + "x" * 100_000}})
    result = offline(document_id="doc-1", template="MeetingMinutes")
    assert "Only the first 100,000" in result.notes[0]
    assert result.structured_data["template_fields"]["participants"] == ["Ada", "Grace"]


@pytest.mark.parametrize(
    ("document", "changes", "words"),
    [
        (None, {}, "has no extracted text yet"),
        ({"structured_data": {"extracted_text": " "}}, {}, "contains no text"),
        ({"structured_data": {}}, {}, "contains no text"),
        ({}, {}, "contains no text"),
        ({"structured_data": {"extracted_text": "x"}}, {"uri": "job-0/gone"}, "was erased"),
    ],
)
def test_a_document_without_text_is_refused_as_such(
    offline: Run, document: dict[str, Any] | None, changes: dict[str, str], words: str
) -> None:
    offline.know(document, **changes)
    error = offline.refused(document_id="doc-1", template="MeetingMinutes")
    assert (error.code, error.retryable) == (ErrorCode.DOCUMENT_HAS_NO_TEXT, False)
    assert words in error.message


def test_a_text_that_is_not_the_one_in_the_log_is_the_store_s_fault(offline: Run) -> None:
    offline.know({"structured_data": {"extracted_text": "x"}}, sha256="0" * 64)
    with pytest.raises(BlobStoreError):
        offline(document_id="doc-1", template="MeetingMinutes")


def test_an_unknown_document_is_not_found(offline: Run) -> None:
    assert offline.refused(document_id="doc-1", template="MeetingMinutes").code is ErrorCode.FILE_NOT_FOUND


def test_an_unknown_template_is_named(offline: Run) -> None:
    error = offline.refused(text="x", template="Nothing")
    assert error.code is ErrorCode.TEMPLATE_ERROR
    assert "Nothing" in error.message


def test_progress_goes_through_its_steps(offline: Run) -> None:
    offline(text=MINUTES, template="MeetingMinutes")
    assert offline.reports.steps == ["initializing", "loading_template", "generating_text", "finalizing"]
    assert offline.reports.percents == sorted(offline.reports.percents)
