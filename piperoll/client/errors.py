"""The errors of the client. Each is a PiperollError; those that the API answered with are RefusedErrors."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from piperoll.client.wire import ApiReply

if TYPE_CHECKING:
    from piperoll.client.views.jobs import JobView


class PiperollError(Exception):
    """Any error of the client."""


class UnreachableError(PiperollError):
    """No answer arrived: nothing listens there, the connection broke, or it took too long."""


class UnexpectedAnswerError(PiperollError):
    """An answer that no Piperoll API gives: the address may be that of another server."""


class NotReadyError(PiperollError):
    """A download of a job that has not ended."""


class RefusedError(PiperollError):
    """The API answered with an error: its HTTP `status`, `code`, `message` and `details`."""

    def __init__(self, status: int, code: str, message: str, details: Mapping[str, Any], request_id: str = "") -> None:
        super().__init__(f"{message} ({code})")
        self.status = status
        self.code = code
        self.message = message
        self.details = dict(details)
        self.request_id = request_id
        """What a proxy or the API named the request; empty without such a header."""


class InvalidRequestError(RefusedError):
    """The request is wrong and will be refused again (400, 405, 413, 416, 422, 431)."""


class AuthenticationError(RefusedError):
    """The key is missing, unknown or ended (401)."""


class ForbiddenError(RefusedError):
    """The key lacks the scope that the request needs (403)."""


class NotFoundError(RefusedError):
    """It does not exist, or belongs to another owner (404)."""


class ConflictError(RefusedError):
    """Its state does not allow the request (409), or the Idempotency-Key was used for another one (422)."""


class QuotaError(RefusedError):
    """A limit of the owner or of the installation is reached (429 QUOTA_EXCEEDED, 507)."""


class RateLimitError(RefusedError):
    """Too many requests in a short time (429)."""


class ServerError(RefusedError):
    """The API could not do it (5xx); `OUTCOME_UNKNOWN` may have been done."""


class JobFailedError(PiperollError):
    """A job that was waited for failed or was cancelled. `job` is its final state."""

    def __init__(self, job: "JobView") -> None:
        error = job.error
        super().__init__(f"the job {job.job_id} failed: {error.message} ({error.code})" if error else job.job_id)
        self.job = job
        self.code = error.code if error else ""


class WaitTimeoutError(PiperollError):
    """What was waited for did not end in time; it goes on."""


class SignatureError(PiperollError):
    """A webhook that must not be trusted."""


class MissingHeaderError(SignatureError):
    """A header of Standard Webhooks is missing or unreadable."""


class StaleWebhookError(SignatureError):
    """The time of the webhook is too far from now: it may be a repeat of an old one."""


class WrongSignatureError(SignatureError):
    """No signature of the webhook fits to a key."""


_BY_STATUS: Mapping[int, type[RefusedError]] = {
    401: AuthenticationError,
    403: ForbiddenError,
    404: NotFoundError,
    409: ConflictError,
    507: QuotaError,
}
_BY_CODE: Mapping[str, type[RefusedError]] = {
    "IDEMPOTENCY_CONFLICT": ConflictError,
    "QUOTA_EXCEEDED": QuotaError,
    "RATE_LIMITED": RateLimitError,
}
FIRST_ERROR, FIRST_SERVER_ERROR = 400, 500
TOO_MANY = 429


def error_of(reply: ApiReply, address: str) -> PiperollError:
    """Return the error that an answer with a status of 400 or more stands for."""
    try:
        error = json.loads(reply.content)["error"]
        code, message = str(error["code"]), str(error["message"])
        details = error.get("details") or {}
    except (ValueError, KeyError, TypeError, AttributeError):
        return _without_envelope(reply, address)
    request_id = reply.headers.get("x-request-id", "")
    return _class_of(reply.status, code)(reply.status, code, message, details, request_id)


def _without_envelope(reply: ApiReply, address: str) -> PiperollError:
    if reply.status in (502, 503, 504):  # of a proxy in front of the API
        message = f"{address} answered HTTP {reply.status}: the API behind it does not answer"
        return ServerError(reply.status, f"HTTP_{reply.status}", message, {})
    return UnexpectedAnswerError(
        f"{address} answered HTTP {reply.status} without Piperoll's envelope: is it the address of a Piperoll API?"
    )


def _class_of(status: int, code: str) -> type[RefusedError]:
    if status >= FIRST_SERVER_ERROR:
        return _BY_STATUS.get(status, ServerError)
    if status == TOO_MANY:
        return _BY_CODE.get(code, RateLimitError)
    return _BY_CODE.get(code) or _BY_STATUS.get(status, InvalidRequestError)
