"""The OpenAPI descriptions of `/api/session` (docs/contract/additions.md#sessions)."""

from typing import Final

from services.api.openapi.examples import LATER, Json
from services.api.openapi.grammar import data, json_body, operation, refusal
from services.api.sign_in.requests import SessionBody

_NONCE: Final = "pn_Zk1c0Qv2m3rXy4uT5wB6a7s8d9f0g1h2j3k4l5z6x7c"
_SESSION: Json = {"owner": "acme", "scopes": ["jobs"], "key_id": "4f1c09a2b7de", "ends_at": LATER}
_FOREIGN: Json = refusal("FOREIGN_ORIGIN", "Sent from a page of another origin: FOREIGN_ORIGIN")

BEGIN = operation(
    "Sign in: begin a session of the page",
    {200: data(_SESSION, "Signed in; the answer sets the cookie of the session"), 403: _FOREIGN},
    (400,),
    json_body(SessionBody, {"nonce": _NONCE}),
)
BEGIN["openapi_extra"]["security"] = []
SHOW = operation(
    "Show the session of the cookie", {200: data(_SESSION, "The owner and scopes of its key, and its end")}
)
END = operation(
    "Sign out: end the session of the cookie",
    {204: {"description": "Signed out"}, 403: _FOREIGN},
)
OFFER = operation(
    "Make a one-time link to a session",
    {200: data({"nonce": _NONCE, "expires_at": LATER}, "Valid once: `/#sign-in=` and the nonce is the link")},
    (403,),
)
