"""The answer to a trial: its reason, and a message for every outcome."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from piperoll.webhooks.attempts import Attempted, Ending
from schemas.job_types.parameters import Webhook
from services.api.jobs.wording import FAILURES
from services.api.trials.diagnosis import Json, diagnosis

URL = "https://hooks.example/in?a=1"

REASONS = {"BLOCKED_ADDRESS", "NAME_NOT_FOUND", "CONNECTION", "TLS", "TIMEOUT", "HTTP_STATUS", "UNREADABLE"}
PUBLIC = ("93.184.215.14",)


def found(
    ending: Ending = Ending.ANSWERED,
    addresses: tuple[str, ...] = PUBLIC,
    *,
    token: str | None = None,
    **attempted: Any,
) -> Json:
    hook = Webhook(url=URL, token=token)
    return diagnosis(hook, "msg_1", Attempted(ending, **{"duration_ms": 41, **attempted}), addresses)


def test_a_delivered_trial_is_ok_without_a_reason() -> None:
    assert found(status=204) == {
        "ok": True,
        "reason": None,
        "message": "The webhook arrived: the receiver answered 204.",
        "status": 204,
        "redirect": None,
        "duration_ms": 41,
        "addresses": ["93.184.215.14"],
        "webhook_id": "msg_1",
    }


@pytest.mark.parametrize(
    ("diagnosed", "reason", "words"),
    [
        (found(status=500), "HTTP_STATUS", "answered 500.*its log"),
        (found(status=404), "HTTP_STATUS", "answered 404.*check the url"),
        (found(status=405), "HTTP_STATUS", "does not accept POST"),
        (found(status=410), "HTTP_STATUS", "given up at once"),
        (found(status=422), "HTTP_STATUS", "refuses the request.*phase test"),
        (found(status=429), "HTTP_STATUS", "Retry-After"),
        (found(status=401), "HTTP_STATUS", "give the token"),
        (found(status=403, token="s3cret"), "HTTP_STATUS", "X-Callback-Token: check it"),
        (found(status=304), "HTTP_STATUS", "leads elsewhere"),
        (found(Ending.TIMEOUT, (), duration_ms=4001), "TIMEOUT", "name service did not answer within 4 s"),
        (found(Ending.TIMEOUT, duration_ms=5003), "TIMEOUT", "No connection to https://hooks.example:443.*firewall"),
        (found(Ending.TIMEOUT, connected=True, duration_ms=9998), "TIMEOUT", "within 10 s: answer 2xx first"),
        (found(Ending.CONNECTION, reason="Connection refused"), "CONNECTION", r"\(Connection refused\): check that"),
        (found(Ending.CONNECTION), "CONNECTION", "established: check that"),
        (found(Ending.CONNECTION, connected=True), "CONNECTION", "closed the connection.*speaks https"),
        (
            found(Ending.TLS, reason="certificate has expired"),
            "TLS",
            r"\(certificate has expired\).*for hooks.example and",
        ),
        (found(Ending.NAME_NOT_FOUND, ()), "NAME_NOT_FOUND", "hooks.example was not found.*DNS"),
        (found(Ending.BLOCKED_ADDRESS, ()), "BLOCKED_ADDRESS", "hooks.example leads to a blocked.*PIPEROLL_ALLOW"),
        (found(Ending.UNREADABLE), "UNREADABLE", "url and token"),
    ],
)
def test_every_failure_has_a_message_with_advice(diagnosed: Json, reason: str, words: str) -> None:
    assert (diagnosed["ok"], diagnosed["reason"]) == (False, reason)
    assert re.search(words, diagnosed["message"]), diagnosed["message"]


def test_the_reasons_are_those_of_deliveries() -> None:
    endings = [ending for ending in Ending if ending is not Ending.OURS]
    assert {found(ending, status=500 if ending is Ending.ANSWERED else None)["reason"] for ending in endings} == REASONS
    assert set(FAILURES) >= REASONS


@pytest.mark.parametrize(
    ("location", "origin"),
    [
        ("https://www.hooks.example/in", "https://www.hooks.example:443"),
        ("http://user:word@other.example:8080/?token=x", "http://other.example:8080"),
        ("//cdn.example/in", "https://cdn.example:443"),
        ("/login", "https://hooks.example:443"),
        ("", "https://hooks.example:443"),
        ("ftp://files.example/", None),
        ("https://[broken", None),
        ("https://hooks.example:99999/", None),
        (None, None),
    ],
)
def test_a_redirect_is_named_by_its_origin_alone(location: str | None, origin: str | None) -> None:
    diagnosed = found(status=301, location=location)
    assert diagnosed["redirect"] == origin
    assert (diagnosed["ok"], diagnosed["reason"]) == (False, "HTTP_STATUS")
    assert f"leads {'elsewhere' if origin is None else f'to {origin}'}" in diagnosed["message"]


def test_no_address_is_shown_once_one_is_blocked() -> None:
    assert found(Ending.BLOCKED_ADDRESS, PUBLIC)["addresses"] == []


@given(
    st.builds(
        Attempted,
        st.sampled_from(Ending),
        st.integers(0, 20_000),
        status=st.none() | st.integers(100, 599),
        location=st.none() | st.text(),
        connected=st.booleans(),
        reason=st.text(),
    )
)
def test_every_outcome_has_a_message(attempted: Attempted) -> None:
    diagnosed = diagnosis(Webhook(url=URL), "msg_1", attempted, PUBLIC)
    assert diagnosed["message"].endswith(".")
    assert (diagnosed["reason"] is None) == diagnosed["ok"]
