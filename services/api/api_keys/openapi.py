"""What the OpenAPI document says about `/api/keys` (contract 2e)."""

from typing import Final

from services.api.api_keys.requests import KeyBody, RotateBody
from services.api.http.caller import IDEMPOTENCY_KEY
from services.api.openapi.examples import Json
from services.api.openapi.grammar import data, json_body, operation, text_header

_ID: Final = "4f1c09a2b7de"
_LISTED: Json = {"id": _ID, "owner": "acme", "scopes": ["jobs"], "created_at": "2026-01-01T00:00:00Z"}
_MADE: Json = {**_LISTED, "key": f"pr_{_ID}.Zk1c0Qv2m3rXy4uT5wB6a7s8d9f0g1h2j3k4l5z6x7c"}
_ROTATED: Json = {**_MADE, "replaces": {"id": "9b07d21e44aa", "expires_at": "2026-01-02T00:00:00Z"}}
_KEY = text_header(IDEMPOTENCY_KEY, "A repeat makes no second key, and is a 409 that names the first")

LIST = operation(
    "List the API keys of all owners, newest first",
    {200: data({"keys": [_LISTED]}, "All keys but those in the settings, ended ones too")},
    (403,),
)
CREATE = operation(
    "Make an API key",
    {200: data(_MADE, "Made. The key is in this answer and in no other")},
    (400, 403, 409),
    json_body(KeyBody, {"owner": "acme", "scopes": ["jobs"], "expires_at": "2027-01-01T00:00:00Z"}),
    (_KEY,),
)
ROTATE = operation(
    "Make a key in the place of another one",
    {200: data(_ROTATED, "Made, with the owner, scopes and expiry of the old one; when that ends is in `replaces`")},
    (400, 403, 404, 409),
    json_body(RotateBody, {"overlap_s": 3600}, required=False),
    (_KEY,),
)
DELETE = operation(
    "End an API key",
    {200: data({**_LISTED, "revoked_at": "2026-01-01T00:05:00Z"}, "Ended. Other API processes know within a while")},
    (403, 404, 409),
)
