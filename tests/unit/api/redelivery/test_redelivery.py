"""Which requests for redelivery are understood, and which hooks may be asked for."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.events import Event, WebhookAbandoned, WebhookDelivered, WebhookFailed, WebhookRedeliveryRequested
from schemas.ids import delivery_id
from services.api.http.errors import ApiError
from services.api.read_model.job_rows import NotedFact
from services.api.redelivery.commands import check_named, check_settled
from services.api.redelivery.requests import RedeliverBody, RedeliverManyBody

NOW = datetime(2026, 1, 31, tzinfo=UTC)
SINCE = "2026-01-31T10:00:00Z"
FOUND = {"delivery_id": delivery_id("job-1", "final"), "phase": "completed"}
GONE = WebhookAbandoned(**FOUND, attempt=1, reason="GONE", status=410, origin_sha256="0" * 64)
AGAIN = WebhookRedeliveryRequested(**FOUND, request="a", by="acme")
FAILED = WebhookFailed(**FOUND, attempt=2, reason="TIMEOUT", duration_ms=1, next_attempt_at="2026-02-01T00:00:00Z")
TOLD = WebhookDelivered(**FOUND, attempt=2, status=200, duration_ms=1, request="a")
STEP = WebhookDelivered(delivery_id="msg_step", phase="processing", attempt=1, status=200, duration_ms=1)


def noted(*facts: Event) -> list[NotedFact]:
    """Facts as the read model has them, a minute apart."""
    return [
        NotedFact.of(fact.type_name(), NOW + timedelta(minutes=number), fact.model_dump(mode="json", exclude_none=True))
        for number, fact in enumerate(facts)
    ]


def refused(*facts: Event, ended_at: datetime | None = NOW) -> ApiError | None:
    try:
        check_settled(noted(*facts), ended_at, NOW)
    except ApiError as error:
        return error
    return None


@pytest.mark.parametrize("facts", [(STEP, GONE), (TOLD,), (FAILED, GONE), (GONE, AGAIN, FAILED, TOLD)])
def test_a_settled_webhook_may_be_requested(facts: tuple[Event, ...]) -> None:
    assert refused(*facts) is None


def test_a_webhook_on_its_own_schedule_is_refused_with_its_next_attempt() -> None:
    error = refused(STEP, FAILED)
    assert error is not None
    assert (error.status, error.code, error.details) == (409, "CONFLICT", {"next_attempt_at": "2026-02-01T00:00:00Z"})
    assert "still on its own schedule" in error.message


def test_a_pending_redelivery_refuses_a_second_one() -> None:
    error = refused(GONE, AGAIN)
    assert error is not None
    assert "already pending" in error.message
    assert error.details == {"requested_at": "2026-01-31T00:01:00Z"}
    failed = refused(GONE, AGAIN, FAILED)
    assert failed is not None
    assert set(failed.details) == {"requested_at", "next_attempt_at"}


def test_a_webhook_without_records_is_refused_with_the_reason() -> None:
    error = refused(ended_at=NOW - timedelta(days=31))
    assert error is not None
    assert "no longer known" in error.message
    young = refused(ended_at=NOW - timedelta(days=29))
    assert young is not None
    assert "own schedule" in young.message


@pytest.mark.parametrize(
    ("named", "status"), [(None, None), (FOUND["delivery_id"], None), ("msg_step", 409), ("msg_other", 404)]
)
def test_only_the_final_webhook_of_a_job_can_be_requested(named: str | None, status: int | None) -> None:
    if status is None:
        check_named("job-1", named, noted(STEP, GONE))
        return
    with pytest.raises(ApiError) as caught:
        check_named("job-1", named, noted(STEP, GONE))
    assert caught.value.status == status


def test_a_delivery_may_be_named_or_not() -> None:
    assert RedeliverBody.read({}).delivery_id is None
    assert RedeliverBody.read({"delivery_id": "msg_1"}).delivery_id == "msg_1"


@pytest.mark.parametrize("body", [{"delivery_id": 1}, {"delivery_id": ""}, {"delivery": "msg_1"}])
def test_another_body_is_refused(body: dict[str, Any]) -> None:
    with pytest.raises(ApiError) as caught:
        RedeliverBody.read(body)
    assert caught.value.status == 400


@pytest.mark.parametrize(
    ("given_origin", "origin"),
    [
        ("https://Example.com", "https://example.com:443"),
        ("https://example.com/", "https://example.com:443"),
        ("http://[::1]:8080", "http://[::1]:8080"),
    ],
)
def test_webhooks_are_selected_by_origin_and_time_and_only_counted_by_default(given_origin: str, origin: str) -> None:
    body = {"origin": given_origin, "since": "2026-01-31T12:00:00+02:00"}
    since = datetime(2026, 1, 31, 10, tzinfo=UTC)
    found = RedeliverManyBody.read(body)
    assert (found.origin, found.since, found.dry_run) == (origin, since, True)
    assert RedeliverManyBody.read({**body, "dry_run": False}) == found.model_copy(update={"dry_run": False})


@pytest.mark.parametrize(
    "wrong",
    [
        {"origin": None},
        {"origin": "example.com"},
        {"origin": "ftp://example.com"},
        {"origin": "https://example.com/hook"},
        {"origin": "https://example.com?a=b"},
        {"origin": "https://user@example.com"},
        {"origin": "https://example.com:99999"},
        {"origin": "https://exa mple.com"},
        {"since": None},
        {"since": 5},
        {"since": "yesterday"},
        {"since": "2026-01-31"},
        {"since": "2026-01-31T10:00:00"},
        {"since": "0001-01-01T00:00:00+23:59"},
        {"dry_run": "no"},
        {"dry_run": None},
        {"dryrun": False},
    ],
)
def test_an_invalid_request_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ApiError) as caught:
        RedeliverManyBody.read({"origin": "https://example.com", "since": SINCE, **wrong})
    assert caught.value.status == 400


@given(st.text(max_size=40), st.text(max_size=40))
def test_any_text_is_accepted_or_refused(origin: str, since: str) -> None:
    for body in ({"origin": origin, "since": SINCE}, {"origin": "https://example.com", "since": since}):
        with suppress(ApiError):
            assert RedeliverManyBody.read(body).dry_run
