"""Bodies of requests for API keys."""

from datetime import UTC, datetime
from typing import Any

import pytest

from services.api.api_keys.requests import key_request
from services.api.http.errors import ApiError

NOW = datetime(2026, 6, 1, tzinfo=UTC)
KEY = {"owner": "acme", "scopes": ["jobs"]}
OWNER = "must be 1 to 64 of A-Z a-z 0-9 _ . - and no leading dot"
SCOPES = "must be one or more of admin, jobs, read, submit"
TIME = "must be a time with its offset (RFC 3339), such as 2027-01-01T00:00:00Z"


@pytest.mark.parametrize(
    ("wrong", "field", "message", "supported"),
    [
        ({"owner": 5}, "owner", "Input should be a valid string", None),
        ({"owner": ".acme"}, "owner", OWNER, None),
        ({"owner": "a" * 65}, "owner", OWNER, None),
        ({"scopes": []}, "scopes", SCOPES, ["admin", "jobs", "read", "submit"]),
        ({"scopes": ["jobs", "nope"]}, "scopes", SCOPES, ["admin", "jobs", "read", "submit"]),
        ({"scopes": [5]}, "scopes.0", "Input should be a valid string", None),
        ({"expires_at": 5}, "expires_at", "Input should be a valid string", None),
        ({"expires_at": "2027-01-01T00:00:00"}, "expires_at", TIME, None),
        ({"expires_at": "2026-06-01T00:00:00Z"}, "expires_at", "must be in the future", None),
    ],
)
def test_a_wrong_field_is_named_with_what_it_must_be(
    wrong: dict[str, Any], field: str, message: str, supported: list[str] | None
) -> None:
    with pytest.raises(ApiError) as refused:
        key_request({**KEY, **wrong}, NOW)
    expected: dict[str, Any] = {"fields": [{"field": field, "message": message}]}
    assert refused.value.details == expected | ({} if supported is None else {"supported": supported})
    assert refused.value.message == f"{field}: {message}"


def test_all_wrong_fields_are_listed() -> None:
    with pytest.raises(ApiError) as refused:
        key_request({"owner": "", "scopes": [], "expires_at": "soon"}, NOW)
    assert [one["field"] for one in refused.value.details["fields"]] == ["owner", "scopes", "expires_at"]


def test_an_expiry_is_a_time_in_utc() -> None:
    made = key_request({**KEY, "expires_at": "2027-01-01T00:00:00+02:00"}, NOW)
    assert made.expires_at == datetime(2026, 12, 31, 22, tzinfo=UTC)
