"""The OpenAPI descriptions of `/api/webhooks/signing-keys` (docs/contract/additions.md#signing-keys)."""

from typing import Final

from services.api.http.caller import IDEMPOTENCY_KEY
from services.api.openapi.examples import Json
from services.api.openapi.grammar import data, operation, text_header
from services.api.signing_keys.commands import AFTER_AN_END

_OLD: Final[Json] = {
    "id": "signing-1d0f7c44-5a0e-4f6b-9a57-6b0e8f2c9d13",
    "secret": "whsec_mPHwZu6G5Iu3hgdLOHMHOMRhPmEyJaibCvPott0MBJg=",
    "public_key": "whpk_ZK5FPnqeerFzMeBthGwh3R5OO20y0rxcjQ+/GEhwUb4=",
}
_NEW: Final[Json] = {
    "id": "signing-9b7e5a02-3c4d-4e1f-8a6b-2f1d0c9e8b7a",
    "secret": "whsec_S85S7EYswdh0c3i+3p/TH3INZ2NBipwYRgnQukp9arw=",
    "public_key": "whpk_9XDntbX2HUg47NpEo1//PfrHdk/R+hnswX6KBzy/0XM=",
}

LIST = operation(
    "List the keys that sign the webhooks of the owner's jobs",
    {200: data({"keys": [_OLD]}, "The newest first; needs a key with the scope admin")},
    (403,),
)
ROTATE = operation(
    "Rotate the signing keys; the previous key still signs for a while",
    {
        200: data(
            {"keys": [_NEW, {**_OLD, "active_until": "2026-01-02T00:00:00Z"}]},
            "All active keys; a key with active_until signs until then. Needs a key with the scope admin",
        )
    },
    (400, 403, 409),
    parameters=(text_header(IDEMPOTENCY_KEY, "A repeat with the same key rotates once"),),
)
END = operation(
    "End a signing key at once",
    {
        200: data(
            {"keys": [_NEW], "warning": AFTER_AN_END},
            "The keys that are active now; a new one took the place of the newest. Needs a key with the scope admin",
        )
    },
    (403, 404),
)
