"""The routes of a room: a class with their dependencies, and methods that answer requests."""

from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple, TypeVar, dataclass_transform

from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

Endpoint = Callable[..., Coroutine[Any, Any, Response]]
E = TypeVar("E", bound=Endpoint)


class PlainRoute(APIRoute):
    """A route without FastAPI's injection and validation, which would cost a quarter of the API's time per request.

    The endpoint is called with the request and the path's parameters, and returns a finished response.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler (FastAPI's documentation, "Custom Request and APIRoute class")."""
        endpoint = self.endpoint

        async def handle(request: Request) -> Response:
            response = await endpoint(request, **request.path_params)
            assert isinstance(response, Response)
            return response

        return handle


class Served(NamedTuple):
    """A method and path of an endpoint; without an `operation` it is not in the OpenAPI document."""

    endpoint: str
    method: str
    path: str
    operation: dict[str, Any] | None


def route(method: str, path: str, *spellings: str, operation: dict[str, Any] | None = None) -> Callable[[E], E]:
    """Mark an endpoint of a `Routes`. `spellings` are additional paths, which are not documented."""

    def mark(endpoint: E) -> E:
        served = endpoint.__dict__.setdefault("served", [])
        served.append(Served(endpoint.__name__, method, path, operation))
        served.extend(Served(endpoint.__name__, method, spelling, None) for spelling in spellings)
        return endpoint

    return mark


@dataclass_transform(frozen_default=True)
class Routes:
    """The base of a room's routes: a frozen dataclass of dependencies, whose endpoints are marked with `route`."""

    _tag: ClassVar[str]

    def __init_subclass__(cls, tag: str) -> None:
        """Make the class a dataclass; `tag` is the heading of its routes in the OpenAPI document."""
        cls._tag = tag
        dataclass(frozen=True)(cls)

    @classmethod
    def served(cls) -> Iterator[Served]:
        """Yield the methods and paths in the order of the endpoints."""
        for endpoint in vars(cls).values():
            yield from getattr(endpoint, "served", ())

    def routes(self) -> list[PlainRoute]:
        """Return the routes as FastAPI serves and documents them."""
        return [
            PlainRoute(
                path,
                getattr(self, endpoint),
                methods=[method],
                tags=[self._tag],
                include_in_schema=operation is not None,
                **(operation or {}),
            )
            for endpoint, method, path, operation in self.served()
        ]
