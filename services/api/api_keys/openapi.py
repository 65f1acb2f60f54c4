"""The OpenAPI descriptions of `/api/keys` (docs/contract/additions.md#api-keys)."""

from typing import Final

from services.api.api_keys.requests import KeyBody, RotateBody
from services.api.http.caller import IDEMPOTENCY_KEY
from services.api.openapi.examples import Json
from services.api.openapi.grammar import data, json_body, operation, text_header

_ID: Final = "4f1c09a2b7de"
_LISTED: Json = {"id": _ID, "owner": "acme", "scopes": ["jobs"], "created_at": "2026-01-01T00:00:00Z"}
_MADE: Json = {**_LISTED, "key": f"pr_{_ID}.Zk1c0Qv2m3rXy4uT5wB6a7s8d9f0g1h2j3k4l5z6x7c"}
_ROTATED: Json = {**_MADE, "replaces": {"id": "9b07d21e44aa", "expires_at": "2026-01-02T00:00:00Z"}}
_KEY = text_header(IDEMPOTENCY_KEY, "A repeat creates no second key: 409 with the id of the first")

LIST = operation(
    "List the API keys of all owners, newest first",
    {200: data({"keys": [_LISTED]}, "All keys but those in the settings, revoked ones included")},
    (403,),
)
CREATE = operation(
    "Create an API key",
    {200: data(_MADE, "Created. The key is in this answer only")},
    (400, 403, 409),
    json_body(KeyBody, {"owner": "acme", "scopes": ["jobs"], "expires_at": "2027-01-01T00:00:00Z"}),
    (_KEY,),
)
ROTATE = operation(
    "Rotate an API key",
    {200: data(_ROTATED, "Created, with owner, scopes and expiry of the old key; `replaces` has the old key's end")},
    (400, 403, 404, 409),
    json_body(RotateBody, {"overlap_s": 3600}, required=False),
    (_KEY,),
)
DELETE = operation(
    "Revoke an API key",
    {
        200: data(
            {**_LISTED, "revoked_at": "2026-01-01T00:05:00Z"},
            "Revoked; other API processes refuse it within two seconds",
        )
    },
    (403, 404, 409),
)
