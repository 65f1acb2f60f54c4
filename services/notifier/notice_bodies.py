"""What a notice says, and how it is signed (contract 15a; Standard Webhooks 1.0, standardwebhooks.com). Pure."""

import base64
import hmac
from binascii import Error as Base64Error
from typing import Any

from pydantic_core import to_json

from schemas.devana import TYPES, Figures, metadata
from schemas.errors import ErrorCode
from services.notifier.bodies import read_object, sentence_of
from services.notifier.notices import Change, ClaimedNotice

SECRET_PREFIX = "whsec_"
TRIAL_TYPE = "EXTRACTION"
TRIAL_MESSAGE = "A trial delivery: there is no such job."


def notice_body(claimed: ClaimedNotice, parameters: bytes | None, error: bytes | None) -> bytes:
    """`{jobId, status, targetId, type, metadata}` from the job's parameters and error documents, None where erased.

    Raises ValueError for documents that cannot be read.
    """
    change = claimed.change
    if change.trial:
        return _body(claimed, claimed.endpoint_id, TRIAL_TYPE, {"test": True, "message": TRIAL_MESSAGE})
    figures = Figures(change.method, change.pages, change.bytes_in, change.counts)
    document = None if parameters is None else read_object(parameters)
    told = metadata(change.job_type, document, figures, _sentence(change, error))
    return _body(claimed, change.target_id, TYPES[change.job_type], told)


def signature(secret: str, delivery_id: str, timestamp: int, body: bytes) -> str:
    """The `webhook-signature` of a message: `v1,` and the HMAC-SHA256 of id, Unix time and body, in base64.

    `secret` is `whsec_` and the key in base64. Raises ValueError when it is not.
    """
    if not secret.startswith(SECRET_PREFIX):
        raise ValueError("the endpoint's secret is not one of ours")
    try:
        key = base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except Base64Error as error:
        raise ValueError("the endpoint's secret is no base64") from error
    signed = f"{delivery_id}.{timestamp}.".encode() + body
    return f"v1,{base64.b64encode(hmac.digest(key, signed, 'sha256')).decode()}"


def _body(claimed: ClaimedNotice, target_id: str, kind: str, told: dict[str, Any]) -> bytes:
    return to_json(
        {
            "jobId": claimed.job_id,
            "status": claimed.change.status,
            "targetId": target_id,
            "type": kind,
            "metadata": told,
        }
    )


def _sentence(change: Change, error: bytes | None) -> str | None:
    """Why the job failed; of a job that did not, nothing."""
    if change.status != "ERROR":
        return None
    said = {} if error is None else read_object(error)
    return str(said.get("message") or sentence_of(change.error_code or ErrorCode.PROCESSING_ERROR.value))
