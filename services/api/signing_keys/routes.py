"""`/api/webhooks/signing-keys`: by what receivers can tell that a webhook comes from here (contract 2e)."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from services.api.http.answers import UNSTORED, success
from services.api.http.caller import admin_of, idempotency_key
from services.api.http.plain_route import PlainRoute
from services.api.parts import parts_of
from services.api.signing_keys import openapi as openapi_signing

router = APIRouter(tags=["webhooks"], route_class=PlainRoute)


@router.get("/api/webhooks/signing-keys", **openapi_signing.LIST)
async def list_keys(request: Request) -> Response:
    """The keys of the caller's owner."""
    owner = admin_of(request).owner
    return success(await parts_of(request).signing_keys.of_owner(owner), headers=UNSTORED)


@router.post("/api/webhooks/signing-keys/rotate", **openapi_signing.ROTATE)
async def rotate(request: Request) -> Response:
    """A new key; the one before it signs on for a while."""
    owner, key = admin_of(request).owner, idempotency_key(request)
    return success(await parts_of(request).signing_keys.rotate(owner, key), headers=UNSTORED)
