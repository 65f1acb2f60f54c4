"""Bodies of registrations of endpoints."""

from typing import Any

import pytest

from schemas.devana import STATUS_NAMES
from services.api.endpoints.requests import endpoint_request
from services.api.http.errors import ApiError

URL = {"url": "https://hooks.example/a"}
NAMES = ["statuses", "token", "url"]
EVERY = {"statuses": list(STATUS_NAMES)}
NO_ADDRESS = "a webhook's url must be an http or https address, such as https://example.com/hook"


@pytest.mark.parametrize(
    ("body", "field", "message", "supported"),
    [
        ({}, "url", "Field required", None),
        ({"url": 5}, "url", "Input should be a valid string", None),
        ({"url": "ftp://hooks.example"}, "url", NO_ADDRESS, None),
        ({**URL, "token": ""}, "token", "String should have at least 1 character", None),
        ({**URL, "statuses": "DONE"}, "statuses", "Input should be a valid list", EVERY),
        ({**URL, "statuses": ["DONE", "NOPE", "NOPE"]}, "statuses", "not supported: NOPE", list(STATUS_NAMES)),
        ({**URL, "jobId": "j"}, "jobId", f"is unknown here; supported are {', '.join(NAMES)}", {"parameters": NAMES}),
    ],
)
def test_a_wrong_field_is_named_with_what_it_must_be(
    body: dict[str, Any], field: str, message: str, supported: object
) -> None:
    with pytest.raises(ApiError) as refused:
        endpoint_request(body, ())
    allowed = {} if supported is None else {"supported": supported}
    assert refused.value.details == {"fields": [{"field": field, "message": message}], **allowed}


@pytest.mark.parametrize(
    ("given", "wanted"),
    [({"statuses": ["DONE", "ERROR", "DONE"]}, ("DONE", "ERROR")), ({"statuses": None}, ()), ({}, ())],
)
def test_statuses_count_once_and_none_are_all(given: dict[str, Any], wanted: tuple[str, ...]) -> None:
    assert endpoint_request({**URL, **given}, ()).wanted_statuses == wanted
