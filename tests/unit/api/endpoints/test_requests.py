"""Bodies of registrations of endpoints."""

from typing import Any

import pytest

from schemas.devana import STATUS_NAMES
from services.api.endpoints.requests import endpoint_request
from services.api.http.errors import ApiError

URL = {"url": "https://hooks.example/a"}
EVERY = {"statuses": list(STATUS_NAMES)}
NO_ADDRESS = "a webhook's url must be an http or https address, such as https://example.com/hook"


@pytest.mark.parametrize(
    ("body", "field", "message", "supported"),
    [
        ({}, "url", "Field required", EVERY),
        ({"url": 5}, "url", "Input should be a valid string", EVERY),
        ({"url": "ftp://hooks.example"}, "url", NO_ADDRESS, EVERY),
        ({**URL, "token": ""}, "token", "String should have at least 1 character", EVERY),
        ({**URL, "statuses": "DONE"}, "statuses", "Input should be a valid list", EVERY),
        ({**URL, "statuses": ["DONE", "NOPE", "NOPE"]}, "statuses", "not supported: NOPE", list(STATUS_NAMES)),
        ({**URL, "jobId": "j"}, "jobId", "Extra inputs are not permitted", EVERY),
    ],
)
def test_a_wrong_field_is_named_with_what_it_must_be(
    body: dict[str, Any], field: str, message: str, supported: object
) -> None:
    with pytest.raises(ApiError) as refused:
        endpoint_request(body, ())
    assert refused.value.details == {"fields": [{"field": field, "message": message}], "supported": supported}


@pytest.mark.parametrize(
    ("given", "wanted"),
    [({"statuses": ["DONE", "ERROR", "DONE"]}, ("DONE", "ERROR")), ({"statuses": None}, ()), ({}, ())],
)
def test_statuses_count_once_and_none_are_all(given: dict[str, Any], wanted: tuple[str, ...]) -> None:
    assert endpoint_request({**URL, **given}, ()).wanted_statuses == wanted
