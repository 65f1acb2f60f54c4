"""Whatever receiver the API accepts for a job, the notifier can use, whatever id the client has for the job."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from schemas.job_types.parameters import Webhook
from services.notifier.hooks.webhook import parse_webhook

ODD = [
    ("https://{jobId}.example.com/h", "a/b"),
    ("https://{jobId}.example.com/", "ä" * 200),
    ("https://example.com/{jobId}", "x" * 255),
    ("https://u:p@{jobId}/x", "."),
    ("https://{jobId}/x", "x" * 255),
    ("http://{jobId}/x", "[::1]"),
    ("http://a{jobId}b/x", "\u200b"),
    ("http://{jobId}/", "%"),
    ("http://{jobId}:80/", "a@b"),
    ("http://{jobId}/", "\ud7ff"),
]


def accepted_and_usable(url: str, client_id: str) -> bool:
    """Whether the API accepts it; what it accepts must be usable."""
    given = {"url": url, "jobId": client_id}
    try:
        Webhook.model_validate(given)
    except ValidationError:
        return False
    hook = parse_webhook(json.dumps({"parameters": {"webhook": given}}).encode(), "job-1")
    assert hook is not None
    assert "{jobId}" not in hook.url
    assert hook.origin.startswith(("http://", "https://"))
    return True


@pytest.mark.parametrize(("url", "client_id"), ODD)
def test_an_accepted_receiver_with_an_odd_address_or_id_can_be_used(url: str, client_id: str) -> None:
    assert accepted_and_usable(url, client_id)


@pytest.mark.parametrize("url", ["http://example.com:{jobId}/", "http://\u2100.example/{jobId}", "http://[{jobId}/"])
def test_an_address_that_the_notifier_could_not_parse_is_refused(url: str) -> None:
    assert not accepted_and_usable(url, "80")


@given(st.text(min_size=1, max_size=255))
def test_any_id_of_a_client_fits_into_an_accepted_receiver(client_id: str) -> None:
    assert accepted_and_usable("https://example.com/{jobId}?id={jobId}", client_id)
