"""`/v1/webhooks`: endpoints that get a webhook at each change of a job's status (docs/contract/devana.md#endpoints)."""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response

from piperoll.addresses import Network
from services.api.endpoints import openapi
from services.api.endpoints.commands import EndpointCommands
from services.api.endpoints.requests import endpoint_request
from services.api.http.answers import devana_success
from services.api.http.bodies import read_json
from services.api.http.caller import IDEMPOTENCY_KEY, USER_ID, caller_of
from services.api.http.routing import Routes, route


class EndpointRoutes(Routes, tag="devana"):
    """`/v1/webhooks`."""

    endpoints: EndpointCommands
    private_networks: Sequence[Network]
    max_body_bytes: int

    @route("POST", "/v1/webhooks", "/v1/webhooks/", operation=openapi.REGISTER)
    async def register(self, request: Request) -> Response:
        """Register an endpoint. Only this answer and repeats with the same Idempotency-Key show its secret."""
        user, key = USER_ID.of(request), IDEMPOTENCY_KEY.of(request)
        body = (await read_json(request, self.max_body_bytes)).value
        wanted = endpoint_request(body, self.private_networks)
        return devana_success(await self.endpoints.register(wanted, caller_of(request), user, key))

    @route("GET", "/v1/webhooks", "/v1/webhooks/", operation=openapi.LIST)
    async def list_endpoints(self, request: Request) -> Response:
        """Return the caller's endpoints, newest first."""
        return devana_success(await self.endpoints.of_owner(caller_of(request).owner))

    @route("DELETE", "/v1/webhooks/{endpoint_id}", operation=openapi.REMOVE)
    async def remove(self, request: Request, endpoint_id: str) -> Response:
        """Remove an endpoint. 202 if that was not read back in time."""
        passed = await self.endpoints.remove(endpoint_id, caller_of(request))
        return devana_success({"id": endpoint_id, "message": "webhook deleted"}, status=200 if passed else 202)

    @route("POST", "/v1/webhooks/{endpoint_id}/test", operation=openapi.TEST)
    async def test(self, request: Request, endpoint_id: str) -> Response:
        """Send a test webhook to an endpoint, once, marked as a test."""
        trial = await self.endpoints.test(endpoint_id, caller_of(request))
        return devana_success({"id": endpoint_id, "jobId": trial}, status=202)
