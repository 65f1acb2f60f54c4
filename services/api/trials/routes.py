"""`/api/webhooks/test`: whether a webhook would arrive, and why not (contract 2e)."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from services.api.http.answers import success
from services.api.http.bodies import read_json
from services.api.http.caller import caller_of
from services.api.http.plain_route import PlainRoute
from services.api.parts import parts_of
from services.api.trials import openapi as openapi_trials
from services.api.trials.requests import wanted_trial

router = APIRouter(tags=["webhooks"], route_class=PlainRoute)


@router.post("/api/webhooks/test", **openapi_trials.TEST)
async def test_webhook(request: Request) -> Response:
    """Posts a trial and says what came of it, which is a 200 also when it did not arrive."""
    parts = parts_of(request)
    hook = wanted_trial((await read_json(request, parts.max_body_bytes)).value, parts.rules.private_networks)
    return success(await parts.trials.run(hook, caller_of(request).owner))
