"""The OpenAPI descriptions of `/v1/webhooks` (docs/contract/devana.md#endpoints)."""

from typing import Final

from services.api.endpoints.requests import EndpointBody
from services.api.openapi.examples import JOB_ID, Json
from services.api.openapi.grammar import KEY, LABEL, devana_data, devana_operation, json_body

ENDPOINT_ID: Final = "endpoint-3f0c9a52-6d1e-4b8a-9c57-8e2b1a7d4f60"
_LISTED: Json = {
    "id": ENDPOINT_ID,
    "url": "https://example.com/hook",
    "statuses": ["DONE", "ERROR"],
    "createdAt": "2026-01-01T10:30:00.000Z",
}
_DELETED: Json = {"id": ENDPOINT_ID, "message": "webhook deleted"}
_REGISTERED: Json = {**_LISTED, "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwbJ3z1F0a8Kc="}
_BAD = ("INVALID_PARAMETERS", "Malformed request or wrong fields: INVALID_REQUEST, INVALID_PARAMETERS, BLOCKED_ADDRESS")

REGISTER = devana_operation(
    "Register an endpoint for each change of status of the owner's jobs",
    {200: devana_data(_REGISTERED, "Registered. Only this answer shows the secret, which signs the webhooks")},
    (400, 409, 422),
    json_body(EndpointBody, {"url": "https://example.com/hook", "token": "s3cret", "statuses": ["DONE", "ERROR"]}),
    parameters=(KEY, LABEL),
    bad=_BAD,
)
LIST = devana_operation(
    "List the registered endpoints, newest first", {200: devana_data([_LISTED], "All of them, without their secrets")}
)
REMOVE = devana_operation(
    "Remove an endpoint",
    {200: devana_data(_DELETED, "Removed"), 202: devana_data(_DELETED, "Accepted; lists may still show it")},
    (404,),
)
TEST = devana_operation(
    "Send a test webhook to an endpoint",
    {202: devana_data({"id": ENDPOINT_ID, "jobId": f"trial-{JOB_ID[4:]}"}, "One POST follows, marked as a test")},
    (404,),
)
