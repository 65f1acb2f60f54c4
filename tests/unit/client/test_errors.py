"""The error that each answer becomes."""

import pytest

from piperoll.client import errors
from piperoll.client.errors import error_of
from tests.support.clients.played import error, reply


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "INVALID_PARAMETERS", errors.InvalidRequestError),
        (413, "BODY_TOO_LARGE", errors.InvalidRequestError),
        (401, "UNAUTHORIZED", errors.AuthenticationError),
        (403, "FORBIDDEN", errors.ForbiddenError),
        (404, "NOT_FOUND", errors.NotFoundError),
        (409, "CONFLICT", errors.ConflictError),
        (422, "IDEMPOTENCY_CONFLICT", errors.ConflictError),
        (429, "RATE_LIMITED", errors.RateLimitError),
        (429, "QUOTA_EXCEEDED", errors.QuotaError),
        (500, "INTERNAL_ERROR", errors.ServerError),
        (503, "OUTCOME_UNKNOWN", errors.ServerError),
        (507, "INSUFFICIENT_STORAGE", errors.QuotaError),
    ],
)
def test_an_error_answer_is_a_class_with_the_code_of_the_server(
    status: int, code: str, kind: type[errors.RefusedError]
) -> None:
    found = error_of(error(status, code, "why", {"quota": "open_jobs"}, x_request_id="r-1"), "GET /")

    assert type(found) is kind
    assert (found.status, found.code, found.message) == (status, code, "why")
    assert (found.details, found.request_id, str(found)) == ({"quota": "open_jobs"}, "r-1", f"why ({code})")


@pytest.mark.parametrize("body", [None, [], {}, {"error": "no"}, {"error": {"code": 1}}, "text"])
def test_an_answer_without_the_envelope_is_named(body: object) -> None:
    assert isinstance(error_of(reply(404, body), "GET /"), errors.UnexpectedAnswerError)
    assert isinstance(error_of(reply(502, body), "GET /"), errors.ServerError)


def test_no_name_of_an_error_hides_one_of_python() -> None:
    import builtins

    names = {name for name, value in vars(errors).items() if isinstance(value, type) and name.endswith("Error")}
    assert not names & set(dir(builtins))
