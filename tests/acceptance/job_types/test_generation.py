"""The `generation` job over HTTP (docs/contract/devana.md#job-types)."""

from pathlib import Path

from tests.support.servers.mistral import CHAT, MistralServer, completion, refused
from tests.support.stacks.system import System

MINUTES = "Participants: Ada Lovelace, Grace Hopper\n\nWe agreed to ship the importer on Friday.\n"


async def test_a_prompt_is_answered_by_the_chat_model(system: System, mistral: MistralServer) -> None:
    mistral.then(CHAT, completion("They ship on Friday."))
    job_id = await system.create("generation", text=MINUTES, prompt="When do they ship?", use_cache=False)
    job = await system.wait_for_end(job_id)
    assert job["status"] == "completed", job
    assert job["results"]["structured_data"] == {"generated_text": "They ship on Friday."}
    assert job["results"]["generated_text"] == "They ship on Friday."
    assert [Path(asset).name for asset in job["results"]["assets"]] == ["generated.md"]


async def test_a_template_is_filled_from_a_text(system: System, mistral: MistralServer) -> None:
    mistral.then(CHAT, completion('{"summary": "They ship on Friday."}'))
    job_id = await system.create("generation", text=MINUTES, template="MeetingMinutes", use_cache=False)
    job = await system.wait_for_end(job_id)
    assert job["results"]["template_fields"]["summary"] == "They ship on Friday."
    assert "They ship on Friday." in job["results"]["structured_data"]["generated_text"]


async def test_a_busy_model_is_retried(system: System, mistral: MistralServer) -> None:
    mistral.then(CHAT, refused(429, Retry_After="1"), completion("At last."))
    job_id = await system.create("generation", text=MINUTES, prompt="When?", use_cache=False)
    job = await system.wait_for_end(job_id)
    assert (job["results"]["generated_text"], job["attempt"]) == ("At last.", 2)
