"""`/api/webhooks/test`: test whether webhooks arrive, and if not, why (contract 2e)."""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response

from piperoll.addresses import Network
from services.api.http.answers import success
from services.api.http.bodies import read_json
from services.api.http.caller import caller_of
from services.api.http.routing import Routes, route
from services.api.trials import openapi
from services.api.trials.posting import Trials
from services.api.trials.requests import trial_webhook


class TrialRoutes(Routes, tag="webhooks"):
    """`/api/webhooks/test`."""

    trials: Trials
    private_networks: Sequence[Network]
    max_body_bytes: int

    @route("POST", "/api/webhooks/test", operation=openapi.TEST)
    async def test_webhook(self, request: Request) -> Response:
        """Posts a trial and answers its outcome: 200 also when it did not arrive."""
        hook = trial_webhook((await read_json(request, self.max_body_bytes)).value, self.private_networks)
        return success(await self.trials.run(hook, caller_of(request).owner))
