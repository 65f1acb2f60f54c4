"""The forms of endpoints that wrap one job."""

from typing import Any

import pytest

from services.api.direct.requests import MAX_WAIT_MS, PDF_FORM, direct_request
from services.api.http.errors import ApiError

HOOK = {"callback_url": "https://hooks.example/a"}


@pytest.mark.parametrize(
    ("values", "field", "message"),
    [
        ({"wait_ms": "-1"}, "wait_ms", "must be a whole number"),
        ({"wait_ms": 1.0}, "wait_ms", "must be a whole number"),
        ({"wait_ms": True}, "wait_ms", "must be a whole number"),
        ({"wait_ms": str(MAX_WAIT_MS + 1)}, "wait_ms", "must be at most 300000"),
        ({"callback_url": 5}, "callback_url", "must be a text"),
        ({"jobId": 5}, "jobId", "must be a text"),
        ({**HOOK, "callback_token": 5}, "callback_token", "must be a text"),
        ({"callback_token": "t"}, "callback_token", "needs a callback_url"),
        ({"priority": "high"}, "priority", "must be a whole number"),
        ({"use_cache": "maybe"}, "use_cache", "must be one of true, 1, yes, false, 0, no"),
        ({"context": "["}, "context", "must be a JSON object: EOF while parsing a list at line 1 column 1"),
    ],
)
def test_a_wrong_field_is_named_with_what_it_must_be(values: dict[str, Any], field: str, message: str) -> None:
    with pytest.raises(ApiError) as refused:
        direct_request(values, PDF_FORM)
    assert refused.value.details == {"fields": [{"field": field, "message": message}]}
    assert refused.value.message == f"{field}: {message}"


def test_all_unknown_fields_are_named_even_empty_ones() -> None:
    with pytest.raises(ApiError) as refused:
        direct_request({"y": "", "x": 1, "wait_ms": "x"}, PDF_FORM)
    assert [one["field"] for one in refused.value.details["fields"]] == ["x", "y"]
    assert {"wait_ms", "jobId", "url", "useCache"} <= set(refused.value.details["supported"])


def test_texts_are_parsed_by_the_type_of_the_parameter_and_empty_ones_were_not_given() -> None:
    form = {
        "page_start": "2",
        "useCache": "no",
        "context": '{"a": 1}',
        "template": "",
        "wait_ms": "5",
        "jobId": "j",
        **HOOK,
    }
    direct = direct_request(form, PDF_FORM)
    webhook = {"url": HOOK["callback_url"], "jobId": "j"}
    assert direct.parameters == {"page_start": 2, "use_cache": False, "context": {"a": 1}, "webhook": webhook}
    assert (direct.client_id, direct.callback_url, direct.wait_ms) == ("j", HOOK["callback_url"], 5)


def test_of_two_spellings_of_a_parameter_the_last_one_counts() -> None:
    assert direct_request({"useCache": "no", "use_cache": "yes"}, PDF_FORM).parameters == {"use_cache": True}
