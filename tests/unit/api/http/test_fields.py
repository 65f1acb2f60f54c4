"""Names, numbers and texts that clients give: what is taken, and how the rest is refused."""

from typing import Any

import pytest
from pydantic import BaseModel, Field, ValidationError, model_validator
from starlette.datastructures import QueryParams

from schemas.errors import ErrorCode
from services.api.http.errors import ApiError
from services.api.http.fields import check_names, invalid_values, plain_text, seconds, whole_number


class Span(BaseModel):
    begin: int = Field(ge=0)
    end: int

    @model_validator(mode="after")
    def _in_order(self) -> "Span":
        if self.end < self.begin:
            raise ValueError("the end comes before the begin")
        return self


def refused(given: Any) -> ApiError:
    with pytest.raises(ValidationError) as caught:
        Span.model_validate(given)
    return invalid_values(caught.value, "span", {"begin": "from 0"})


def test_a_name_that_is_not_known_is_refused_with_those_that_are() -> None:
    check_names(QueryParams("limit=1&limit=2"), {"limit", "offset"})
    with pytest.raises(ApiError) as caught:
        check_names({"skip": 1, "x" * 80: 2}, {"limit", "offset"})
    assert caught.value.code is ErrorCode.INVALID_REQUEST
    assert caught.value.message == f"not supported here: skip, {'x' * 50}"
    assert caught.value.details == {"supported": ["limit", "offset"]}


def test_what_is_not_given_is_the_default() -> None:
    nothing = QueryParams("")
    assert whole_number(nothing, "limit", 7, 100) == 7
    assert seconds(nothing, "wait", 60) is None
    assert plain_text(nothing, "user_id") is None


@pytest.mark.parametrize(("text", "value"), [("0", 0.0), ("60", 60.0), ("0.25", 0.25), ("007", 7.0)])
def test_seconds_are_plain_decimals(text: str, value: float) -> None:
    assert seconds(QueryParams({"wait": text}), "wait", 60) == value


@pytest.mark.parametrize("text", ["", "-1", "1e1", "nan", "60.1", "1.", "\N{ARABIC-INDIC DIGIT THREE}"])
def test_other_seconds_are_refused_by_the_field_s_name(text: str) -> None:
    with pytest.raises(ApiError, match=r"wait: must be a number of seconds from 0 to 60$") as caught:
        seconds(QueryParams({"wait": text}), "wait", 60)
    assert caught.value.code is ErrorCode.INVALID_PARAMETERS


@pytest.mark.parametrize("text", ["", "-1", "1.0", "101", "9" * 5000, "\N{ARABIC-INDIC DIGIT THREE}"])
def test_other_numbers_are_refused_by_the_field_s_name(text: str) -> None:
    with pytest.raises(ApiError, match=r"limit: must be a whole number from 0 to 100$"):
        whole_number(QueryParams({"limit": text}), "limit", 7, 100)


def test_a_text_with_a_nul_is_refused() -> None:
    assert plain_text(QueryParams({"user_id": "one"}), "user_id") == "one"
    with pytest.raises(ApiError, match="user_id: must not contain a NUL character"):
        plain_text(QueryParams({"user_id": "o\x00e"}), "user_id")


def test_each_wrong_value_is_named_with_what_is_wrong_of_it() -> None:
    error = refused({"begin": -1, "end": "soon"})
    assert (error.status, error.code) == (400, ErrorCode.INVALID_PARAMETERS)
    assert [field["field"] for field in error.details["fields"]] == ["begin", "end"]
    assert error.message.startswith("begin: Input should be greater than or equal to 0; end: ")
    assert error.details["supported"] == {"begin": "from 0"}


def test_values_that_are_wrong_together_bear_the_name_of_the_whole() -> None:
    error = refused({"begin": 2, "end": 1})
    assert error.details["fields"] == [{"field": "span", "message": "the end comes before the begin"}]
