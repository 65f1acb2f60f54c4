"""Values of requests: which are accepted, and the messages for the others."""

from typing import Annotated, Any

import pytest
from pydantic import Field, ValidationError, model_validator
from starlette.datastructures import QueryParams

from schemas.errors import ErrorCode
from services.api.http.constraints import PlainText
from services.api.http.errors import ApiError
from services.api.http.shapes import EnvelopeModel, FieldsModel, QueryModel, RequestModel, invalid_values


class Query(QueryModel):
    limit: int = Field(default=7, ge=0, le=100)
    wait: Annotated[float, Field(ge=0, le=60)] | None = None
    user_id: PlainText | None = None
    flag: bool = False


class Span(FieldsModel):
    begin: int = Field(ge=0)
    end: int

    @model_validator(mode="after")
    def _in_order(self) -> "Span":
        if self.end < self.begin:
            raise ValueError("the end comes before the begin")
        return self


class Labelled(RequestModel):
    label: Annotated[str, Field(min_length=1, max_length=5)]


class Envelope(EnvelopeModel):
    label: Annotated[str, Field(min_length=1, max_length=5)]


def read(**query: str) -> Query:
    return Query.of(QueryParams(query))


def refused(given: Any) -> ApiError:
    with pytest.raises(ValidationError) as caught:
        Span.model_validate(given)
    return invalid_values(caught.value, Span, "span", {"begin": "from 0"})


@pytest.mark.parametrize(
    "given", [QueryParams({"skip": "1", "x" * 80: "2"}), QueryParams({"x" * 80: "2", "skip": "x"})]
)
def test_an_unknown_name_is_refused_with_the_known_ones(given: QueryParams) -> None:
    Query.of(QueryParams("limit=1&limit=2"))
    with pytest.raises(ApiError) as caught:
        Query.of(given)
    assert caught.value.code is ErrorCode.INVALID_REQUEST
    assert caught.value.message == f"not supported here: skip, {'x' * 50}"
    assert caught.value.details == {"supported": ["flag", "limit", "user_id", "wait"]}


def test_a_missing_value_is_the_default() -> None:
    nothing = read()
    assert nothing.limit == 7
    assert nothing.wait is None
    assert nothing.user_id is None


@pytest.mark.parametrize(("text", "value"), [("0", 0.0), ("60", 60.0), ("0.25", 0.25), ("007", 7.0)])
def test_seconds_are_plain_decimals(text: str, value: float) -> None:
    assert read(wait=text).wait == value


@pytest.mark.parametrize("text", ["", "-1", "1e1", "nan", "60.1", "1.", "\N{ARABIC-INDIC DIGIT THREE}"])
def test_other_seconds_are_refused_with_the_field(text: str) -> None:
    with pytest.raises(ApiError, match=r"wait: must be a number of seconds from 0 to 60$") as caught:
        read(wait=text)
    assert caught.value.code is ErrorCode.INVALID_PARAMETERS


@pytest.mark.parametrize("text", ["", "-1", "1.0", "101", "9" * 5000, "\N{ARABIC-INDIC DIGIT THREE}"])
def test_other_numbers_are_refused_with_the_field(text: str) -> None:
    with pytest.raises(ApiError, match=r"limit: must be a whole number from 0 to 100$"):
        read(limit=text)


def test_a_text_with_a_nul_is_refused() -> None:
    assert read(user_id="one").user_id == "one"
    with pytest.raises(ApiError, match="user_id: must not contain a NUL character"):
        read(user_id="o\x00e")


@pytest.mark.parametrize(("text", "value"), [("true", True), ("TRUE", True), ("1", True), ("0", False)])
def test_flags_are_read_in_any_case(text: str, value: bool) -> None:
    assert read(flag=text).flag is value


@pytest.mark.parametrize("label", [None, 5, "", "longer"])
def test_the_first_wrong_value_is_named_with_its_limits(label: Any) -> None:
    with pytest.raises(ApiError) as caught:
        Labelled.read({"label": label})
    assert caught.value.details["fields"] == [{"field": "label", "message": "must be a text of 1 to 5 characters"}]
    with pytest.raises(ApiError) as caught:
        Envelope.read({"label": label})
    assert (caught.value.code, caught.value.message) == (
        ErrorCode.INVALID_REQUEST,
        "label must be a text of 1 to 5 characters",
    )


def test_each_wrong_value_is_named_with_its_error() -> None:
    error = refused({"begin": -1, "end": "soon"})
    assert (error.status, error.code) == (400, ErrorCode.INVALID_PARAMETERS)
    assert [field["field"] for field in error.details["fields"]] == ["begin", "end"]
    assert error.message.startswith("begin: Input should be greater than or equal to 0; end: ")
    assert error.details["supported"] == {"begin": "from 0"}


def test_values_that_are_wrong_together_are_named_as_the_whole_body() -> None:
    error = refused({"begin": 2, "end": 1})
    assert error.details["fields"] == [{"field": "span", "message": "the end comes before the begin"}]
    with pytest.raises(ApiError, match="body: the end comes before the begin"):
        Span.read({"begin": 2, "end": 1})
