"""`/v1/webhooks`: endpoints that are told of each change of status of their owner's jobs (contract 15d)."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from services.api.endpoints import openapi as openapi_webhooks
from services.api.endpoints.requests import wanted_endpoint
from services.api.http.answers import devana_success
from services.api.http.bodies import read_json
from services.api.http.caller import caller_of, header_user, idempotency_key
from services.api.http.plain_route import PlainRoute
from services.api.parts import parts_of

router = APIRouter(tags=["devana"], route_class=PlainRoute)


@router.post("/v1/webhooks", **openapi_webhooks.REGISTER)
@router.post("/v1/webhooks/", include_in_schema=False)
async def register(request: Request) -> Response:
    """Registers an endpoint. Its secret is in this answer, and in none but a repeat with the same Idempotency-Key."""
    parts, user, key = parts_of(request), header_user(request), idempotency_key(request)
    document = await read_json(request, parts.max_body_bytes)
    wanted = wanted_endpoint(document.value, parts.rules.private_networks)
    return devana_success(await parts.endpoints.register(wanted, caller_of(request), user, key))


@router.get("/v1/webhooks", **openapi_webhooks.LIST)
@router.get("/v1/webhooks/", include_in_schema=False)
async def list_endpoints(request: Request) -> Response:
    """The caller's endpoints, newest first."""
    return devana_success(await parts_of(request).endpoints.of_owner(caller_of(request).owner))


@router.delete("/v1/webhooks/{endpoint_id}", **openapi_webhooks.REMOVE)
async def remove(request: Request, endpoint_id: str) -> Response:
    """Ends an endpoint. 202 when that was not read back in time."""
    passed = await parts_of(request).endpoints.remove(endpoint_id, caller_of(request))
    return devana_success({"id": endpoint_id, "message": "webhook deleted"}, status=200 if passed else 202)


@router.post("/v1/webhooks/{endpoint_id}/test", **openapi_webhooks.TEST)
async def test(request: Request, endpoint_id: str) -> Response:
    """Has a trial sent to an endpoint, once, marked as one."""
    trial = await parts_of(request).endpoints.test(endpoint_id, caller_of(request))
    return devana_success({"id": endpoint_id, "jobId": trial}, status=202)
