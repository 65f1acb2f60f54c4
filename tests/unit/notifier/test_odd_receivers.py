"""Whatever receiver the API accepts for a job, the notifier can use, whatever id the client has for the job.

Receivers that were accepted before the rules of today are in the log: the notifier uses them, or parks their records.
"""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from schemas.job_types.parameters import Webhook
from services.notifier.hooks.webhook import JobWebhook, UnreadableWebhookError, parse_webhook

PLACES = [
    ("https://example.com/{jobId}", "x" * 255),
    ("https://example.com/{jobId}", "a/b"),
    ("https://example.com:8443/h?id={jobId}#{jobId}", "ä" * 100),
    ("https://bücher.example/{jobId}", "%"),
    ("https://EXAMPLE.com/{jobId}", "."),
    ("http://[2001:4860::1]/{jobId}", "[::1]"),
    ("http://example.com/{jobId}", "\u200b"),
    ("http://example.com/{jobId}", "a@b"),
    ("http://example.com/{jobId}", "\ud7ff"),
]
ID_IN_HOST = [
    ("https://{jobId}.example.com/h", "a/b"),
    ("https://u:p@{jobId}/x", "."),
    ("https://{jobId}/x", "x" * 255),
    ("http://{jobId}/x", "[::1]"),
    ("http://a{jobId}b/x", "\u200b"),
    ("http://{jobId}:80/", "a@b"),
]
NEVER = ["http://example.com:{jobId}/", "http://\u2100.example/{jobId}", "http://[{jobId}/"]


def stored(url: str, client_id: str) -> JobWebhook | None:
    """The receiver as the notifier reads it from stored parameters."""
    return parse_webhook(json.dumps({"parameters": {"webhook": {"url": url, "jobId": client_id}}}).encode(), "job-1")


def accepted(url: str, client_id: str) -> str | None:
    """The address that the API stores; None if it refuses it."""
    try:
        return Webhook.model_validate({"url": url, "jobId": client_id}).url
    except ValidationError:
        return None


def require_usable(hook: JobWebhook | None) -> None:
    assert hook is not None
    assert "{jobId}" not in hook.url
    assert hook.origin.startswith(("http://", "https://"))


@pytest.mark.parametrize(("url", "client_id"), PLACES)
def test_an_accepted_receiver_with_an_odd_address_or_id_can_be_used(url: str, client_id: str) -> None:
    address = accepted(url, client_id)
    assert address is not None
    require_usable(stored(address, client_id))


@pytest.mark.parametrize("url", [*(url for url, _ in ID_IN_HOST), *NEVER])
def test_an_address_whose_host_depends_on_the_id_or_that_no_request_can_have_is_refused(url: str) -> None:
    assert accepted(url, "80") is None


@pytest.mark.parametrize(("url", "client_id"), ID_IN_HOST)
def test_a_receiver_with_the_id_in_its_host_from_an_earlier_release_can_be_used(url: str, client_id: str) -> None:
    require_usable(stored(url, client_id))


@pytest.mark.parametrize(
    ("url", "client_id"),
    [(NEVER[0], "x"), *((url, "80") for url in NEVER[1:]), ("http://{jobId}/", "\ud800"), ("http://", "1"), ("", "1")],
)
def test_a_stored_receiver_that_no_request_can_have_is_parked(url: str, client_id: str) -> None:
    with pytest.raises(UnreadableWebhookError):
        stored(url, client_id)


@given(st.text(min_size=1, max_size=255))
def test_any_id_of_a_client_fits_into_an_accepted_receiver(client_id: str) -> None:
    url = "https://example.com/{jobId}?id={jobId}"
    if accepted(url, client_id) is not None:
        require_usable(stored(url, client_id))
