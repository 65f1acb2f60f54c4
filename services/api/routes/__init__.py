"""The paths of contract 2, a file per noun. Routes are thin: they read the request, ask one part, and answer."""

from services.api.routes import batches, direct, doc, downloads, files, health, history, jobs

ROUTERS = (
    batches.router,
    jobs.router,
    history.router,
    downloads.router,
    files.router,
    direct.router,
    health.router,
    doc.router,
)
"""All routes. Those with a fixed path go before those that would take it for an id (contract A25)."""
