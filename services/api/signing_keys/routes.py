"""`/api/webhooks/signing-keys`: the keys to verify webhooks with (docs/contract/additions.md#signing-keys)."""

from starlette.requests import Request
from starlette.responses import Response

from services.api.http.answers import UNSTORED, success
from services.api.http.caller import IDEMPOTENCY_KEY, admin_of
from services.api.http.routing import Routes, route
from services.api.signing_keys import openapi
from services.api.signing_keys.commands import SigningKeyAdmin


class SigningKeyRoutes(Routes, tag="webhooks"):
    """`/api/webhooks/signing-keys`."""

    signing_keys: SigningKeyAdmin

    @route("GET", "/api/webhooks/signing-keys", operation=openapi.LIST)
    async def list_keys(self, request: Request) -> Response:
        """Return the signing keys of the caller's owner."""
        owner = admin_of(request).owner
        return success(await self.signing_keys.of_owner(owner), headers=UNSTORED)

    @route("POST", "/api/webhooks/signing-keys/rotate", operation=openapi.ROTATE)
    async def rotate(self, request: Request) -> Response:
        """Create a new key; the previous one still signs for a while."""
        owner, key = admin_of(request).owner, IDEMPOTENCY_KEY.of(request)
        return success(await self.signing_keys.rotate(owner, key), headers=UNSTORED)

    @route("DELETE", "/api/webhooks/signing-keys/{key_id}", operation=openapi.END)
    async def end(self, request: Request, key_id: str) -> Response:
        """End a key at once, as one that leaked."""
        owner = admin_of(request).owner
        return success(await self.signing_keys.end(owner, key_id), headers=UNSTORED)
