"""`/api/keys`: the API keys of all owners, for callers with the scope `admin` (docs/contract/additions.md#api-keys)."""

from starlette.requests import Request
from starlette.responses import Response

from piperoll.clock import utc_now
from services.api.api_keys import openapi
from services.api.api_keys.commands import KeyAdmin
from services.api.api_keys.requests import RotateBody, key_request
from services.api.http.answers import UNSTORED, success
from services.api.http.bodies import read_json
from services.api.http.caller import IDEMPOTENCY_KEY, admin_of
from services.api.http.routing import Routes, route


class ApiKeyRoutes(Routes, tag="keys"):
    """`/api/keys`."""

    key_admin: KeyAdmin
    max_body_bytes: int

    @route("GET", "/api/keys", "/api/keys/", operation=openapi.LIST)
    async def list_keys(self, request: Request) -> Response:
        """Return the properties of all owners' keys, not the keys themselves."""
        admin_of(request)
        return success({"keys": await self.key_admin.all()})

    @route("POST", "/api/keys", "/api/keys/", operation=openapi.CREATE)
    async def create_key(self, request: Request) -> Response:
        """Create a key. Only this answer shows it."""
        caller, repeated = admin_of(request), IDEMPOTENCY_KEY.of(request)
        wanted = key_request((await read_json(request, self.max_body_bytes)).value, utc_now())
        return success(await self.key_admin.create(wanted, caller, repeated), headers=UNSTORED)

    @route("POST", "/api/keys/{key_id}/rotate", operation=openapi.ROTATE)
    async def rotate_key(self, request: Request, key_id: str) -> Response:
        """Create a key that replaces another one, which ends after the overlap."""
        caller, repeated = admin_of(request), IDEMPOTENCY_KEY.of(request)
        body = RotateBody.read((await read_json(request, self.max_body_bytes, optional=True)).value)
        return success(await self.key_admin.rotate(key_id, body.overlap_s, caller, repeated), headers=UNSTORED)

    @route("DELETE", "/api/keys/{key_id}", operation=openapi.DELETE)
    async def delete_key(self, request: Request, key_id: str) -> Response:
        """Revoke a key. Other API processes refuse it within two seconds."""
        caller = admin_of(request)
        return success(await self.key_admin.delete(key_id, caller))
