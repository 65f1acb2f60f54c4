"""`POST /api/jobs/estimate`: what a job would take (docs/contract/additions.md#estimates)."""

from starlette.requests import Request
from starlette.responses import Response

from piperoll.job_types import job_types
from services.api.estimates import openapi
from services.api.estimates.inspecting import Inspector
from services.api.estimates.views import Question, estimate_view
from services.api.http.admission import Activity, admission_of
from services.api.http.answers import success
from services.api.http.bodies import read_json
from services.api.http.caller import USER_ID, caller_of
from services.api.http.routing import Routes, route
from services.api.jobs.named_documents import Resolver
from services.api.jobs.requests import Rules, parse_job
from services.api.outlook.observing import Observer


class EstimateRoutes(Routes, tag="jobs"):
    """`/api/jobs/estimate`."""

    rules: Rules
    resolver: Resolver
    inspector: Inspector
    observer: Observer
    max_body_bytes: int

    @route("POST", "/api/jobs/estimate", operation=openapi.ESTIMATE)
    async def estimate(self, request: Request) -> Response:
        """Take the body of a creation, and return pages, time and queue of such a job. No job of it remains. 202 if no
        worker opened the file in time."""
        caller = caller_of(request)
        job = parse_job(await read_json(request, self.max_body_bytes), self.rules, USER_ID.of(request))
        await self.resolver.resolve(job.job_type, job.parameters, caller.owner)
        work = job_types().of(job.job_type).page_work(job.sent)
        fetched = job.parameters.asked("url") is not None
        inspected = None
        if work is not None and not fetched:
            admission_of(request).wait_as(Activity.LONG_POLLS)
            inspected = await self.inspector.inspect(job, work, caller)
        outlook = await self.observer.outlook([job.job_type])
        view = estimate_view(Question(job.job_type, caller.owner, work, fetched, inspected), outlook)
        unopened = work is not None and not fetched and inspected is None
        return success(view, status=202 if unopened else 200)
