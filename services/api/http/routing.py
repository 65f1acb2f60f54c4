"""How a room exports its routes: a class with the dependencies of its routes, and methods that answer requests."""

from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

Endpoint = Callable[..., Coroutine[Any, Any, Response]]
E = TypeVar("E", bound=Endpoint)


class PlainRoute(APIRoute):
    """A route without injection and validation, which would cost a quarter of the API's own time per request.

    The endpoint is called with the request and the path's parameters, and returns a finished response.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """FastAPI's own place for this (its chapter on custom routes)."""
        endpoint = self.endpoint

        async def handle(request: Request) -> Response:
            response = await endpoint(request, **request.path_params)
            assert isinstance(response, Response)
            return response

        return handle


@dataclass(frozen=True, slots=True)
class Served:
    """A method and a path that an endpoint answers; without an `operation` it is not in the OpenAPI document."""

    endpoint: str
    method: str
    path: str
    operation: dict[str, Any] | None


def route(method: str, path: str, *spellings: str, operation: dict[str, Any] | None = None) -> Callable[[E], E]:
    """Marks an endpoint of a `Routes`. `spellings` are more paths that it answers; they are not documented."""

    def mark(endpoint: E) -> E:
        served = [Served(endpoint.__name__, method, path, operation)]
        served += [Served(endpoint.__name__, method, spelling, None) for spelling in spellings]
        endpoint.__dict__.setdefault("served", []).extend(served)
        return endpoint

    return mark


class Routes:
    """The routes of a room. A subclass is built with what its endpoints need, and marks them with `route`."""

    TAG: ClassVar[str]

    @classmethod
    def served(cls) -> Iterator[Served]:
        """All that is served here, in the order of the endpoints."""
        for endpoint in vars(cls).values():
            yield from getattr(endpoint, "served", ())

    def routes(self) -> list[PlainRoute]:
        """The routes as FastAPI serves and documents them."""
        return [
            PlainRoute(
                one.path,
                getattr(self, one.endpoint),
                methods=[one.method],
                tags=[self.TAG],
                include_in_schema=one.operation is not None,
                **(one.operation or {}),
            )
            for one in self.served()
        ]
