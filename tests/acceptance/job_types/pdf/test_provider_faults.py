"""A provider that fails while it reads a PDF."""

from typing import Any

import pytest

from tests.support.clients.pdf import done, ended, fresh
from tests.support.runs.pdf import typed
from tests.support.servers.mistral import OCR, MistralServer, malformed, refused
from tests.support.stacks.system import System


@pytest.mark.parametrize("status", [429, 500])
async def test_a_busy_or_broken_provider_is_retried(system: System, mistral: MistralServer, status: int) -> None:
    mistral.then(OCR, refused(status, Retry_After="0"))
    job = await done(system, typed(fresh(system), ["Again"]), "mistral_ocr")
    assert job["attempt"] == 2
    assert "Again" in job["results"]["structured_data"]["extracted_text"]


@pytest.mark.parametrize(
    ("reply", "code"),
    [(refused(401), "OCR_PROVIDER_UNAVAILABLE"), (malformed(), "PROCESSING_ERROR")],
    ids=["401", "malformed"],
)
async def test_a_permanent_error_fails_at_once(system: System, mistral: MistralServer, reply: Any, code: str) -> None:
    mistral.then(OCR, reply)
    job = await ended(system, typed(fresh(system), ["Once"]), "mistral_ocr")
    assert (job["status"], job["error"]["code"], job["attempt"]) == ("failed", code, 1)
    assert "results" not in job
