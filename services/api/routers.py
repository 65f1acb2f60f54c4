"""The paths of contract 2, a file per noun. Routes are thin: they read the request, ask one part, and answer."""

from services.api.api_keys import routes as keys
from services.api.batches import routes as batches
from services.api.devana_jobs import routes as devana_jobs
from services.api.direct import routes as direct
from services.api.documents import routes as documents
from services.api.endpoints import routes as webhooks
from services.api.folders import routes as folders
from services.api.health import routes as health
from services.api.jobs import history_routes as history
from services.api.jobs import routes as jobs
from services.api.openapi import routes as doc
from services.api.outputs import routes as downloads
from services.api.owner_stream import routes as stream
from services.api.redelivery import routes as redelivery
from services.api.signing_keys import routes as signing_keys
from services.api.trials import routes as trials
from services.api.uploads import routes as files

ROUTERS = (
    jobs.collection,
    batches.router,
    jobs.router,
    history.router,
    redelivery.router,
    stream.router,
    downloads.router,
    files.router,
    direct.router,
    devana_jobs.router,
    documents.router,
    folders.router,
    webhooks.router,
    signing_keys.router,
    trials.router,
    keys.router,
    health.router,
    doc.router,
)
"""All routes, in the order in which they are tried: the busiest first, and those with a fixed path before those that
would take it for an id (contract A25)."""
