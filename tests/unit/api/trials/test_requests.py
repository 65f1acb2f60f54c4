"""Requests for a trial of a webhook."""

from ipaddress import ip_network

import pytest

from schemas.job_types.parameters import Webhook
from services.api.http.errors import ApiError
from services.api.trials.diagnosis import Json
from services.api.trials.requests import trial_webhook

URL = "https://hooks.example/in?a=1"


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        ({}, "INVALID_PARAMETERS", "url"),
        ({"url": None}, "INVALID_PARAMETERS", "url"),
        ({"url": ["https://hooks.example"]}, "INVALID_PARAMETERS", "url"),
        ({"url": ""}, "INVALID_PARAMETERS", "url"),
        ({"url": "hooks.example/in"}, "INVALID_PARAMETERS", "url"),
        ({"url": "ftp://hooks.example/in"}, "INVALID_PARAMETERS", "url"),
        ({"url": "https://hooks.example:99999/"}, "INVALID_PARAMETERS", "url"),
        ({"url": "https://user:word@hooks.example/"}, "INVALID_PARAMETERS", "url"),
        ({"url": "https://hooks.example/a b"}, "INVALID_PARAMETERS", "url"),
        ({"url": f"https://hooks.example/{'a' * 2048}"}, "INVALID_PARAMETERS", "url"),
        ({"url": URL, "token": ""}, "INVALID_PARAMETERS", "token"),
        ({"url": URL, "token": 7}, "INVALID_PARAMETERS", "token"),
        ({"url": URL, "jobId": "mine"}, "INVALID_REQUEST", None),
        ({"url": "http://10.0.0.1/"}, "BLOCKED_ADDRESS", "url"),
        ({"url": "http://169.254.169.254/latest"}, "BLOCKED_ADDRESS", "url"),
        ({"url": "http://2130706433/"}, "BLOCKED_ADDRESS", "url"),
        ({"url": "http://[::ffff:127.0.0.1]/"}, "BLOCKED_ADDRESS", "url"),
    ],
)
def test_a_webhook_that_a_job_must_not_have_is_refused(body: Json, code: str, field: str | None) -> None:
    with pytest.raises(ApiError) as refused:
        trial_webhook(body, ())
    assert (refused.value.status, refused.value.code) == (400, code)
    assert field is None or refused.value.details["fields"][0]["field"] == field


def test_a_webhook_that_a_job_may_have_is_accepted() -> None:
    assert trial_webhook({"url": URL}, ()) == Webhook(url=URL)
    assert trial_webhook({"url": URL, "token": "s3cret"}, ()) == Webhook(url=URL, token="s3cret")
    opened = "http://10.1.2.3/in"
    assert trial_webhook({"url": opened}, [ip_network("10.0.0.0/8")]).url == opened
