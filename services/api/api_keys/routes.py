"""`/api/keys`: who may call, for those whose key has the scope `admin` (contract 2e)."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from piperoll.clock import utc_now
from services.api.api_keys import openapi as openapi_keys
from services.api.api_keys.requests import wanted_key, wanted_overlap
from services.api.http.answers import UNSTORED, success
from services.api.http.bodies import read_json
from services.api.http.caller import admin_of, idempotency_key
from services.api.http.plain_route import PlainRoute
from services.api.parts import parts_of

router = APIRouter(tags=["keys"], route_class=PlainRoute)


@router.get("/api/keys", **openapi_keys.LIST)
@router.get("/api/keys/", include_in_schema=False)
async def list_keys(request: Request) -> Response:
    """The keys of all owners, without the keys themselves."""
    admin_of(request)
    return success({"keys": await parts_of(request).key_admin.all()})


@router.post("/api/keys", **openapi_keys.CREATE)
@router.post("/api/keys/", include_in_schema=False)
async def create_key(request: Request) -> Response:
    """Makes a key. It is in this answer and in no other."""
    caller, parts, repeated = admin_of(request), parts_of(request), idempotency_key(request)
    wanted = wanted_key((await read_json(request, parts.max_body_bytes)).value, utc_now())
    return success(await parts.key_admin.create(wanted, caller, repeated), headers=UNSTORED)


@router.post("/api/keys/{key_id}/rotate", **openapi_keys.ROTATE)
async def rotate_key(request: Request, key_id: str) -> Response:
    """Makes a key in the place of another one, which ends after the overlap."""
    caller, parts, repeated = admin_of(request), parts_of(request), idempotency_key(request)
    overlap_s = wanted_overlap((await read_json(request, parts.max_body_bytes, optional=True)).value)
    return success(await parts.key_admin.rotate(key_id, overlap_s, caller, repeated), headers=UNSTORED)


@router.delete("/api/keys/{key_id}", **openapi_keys.DELETE)
async def delete_key(request: Request, key_id: str) -> Response:
    """Ends a key. Other API processes know within PIPEROLL_KEY_CACHE_S."""
    caller = admin_of(request)
    return success(await parts_of(request).key_admin.delete(key_id, caller))
