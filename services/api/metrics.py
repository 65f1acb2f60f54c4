"""The metrics of the API. Labels are resolved once per combination, so a request costs two dictionary look-ups."""

from functools import lru_cache

from prometheus_client import Counter, Gauge, Histogram

REQUESTS = Counter("piperoll_api_requests_total", "Requests answered", ["method", "route", "status"])
SECONDS = Histogram("piperoll_api_request_seconds", "Time from request to answer", ["method", "route"])
IN_FLIGHT = Gauge("piperoll_api_requests_in_flight", "Requests being answered")
KNOWN_METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})


def answered(method: str, route: str, status: int, seconds: float) -> None:
    """Count one answer; `route` is the path's template, so that ids do not become labels."""
    requests, histogram = _children(method if method in KNOWN_METHODS else "OTHER", route, status)
    requests.inc()
    histogram.observe(seconds)


@lru_cache(maxsize=1024)
def _children(method: str, route: str, status: int) -> tuple[Counter, Histogram]:
    return REQUESTS.labels(method, route, str(status)), SECONDS.labels(method, route)
