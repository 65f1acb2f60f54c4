"""The paths of contract 2, a file per noun. Routes are thin: they read the request, ask one part, and answer."""

from services.api.routes import (
    batches,
    devana_jobs,
    direct,
    doc,
    documents,
    downloads,
    files,
    folders,
    health,
    history,
    jobs,
    keys,
    redelivery,
    signing_keys,
    stream,
    trials,
    webhooks,
)

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
