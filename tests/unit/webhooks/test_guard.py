"""One POST against receivers that behave well and badly, and the address guard, over real sockets."""

import socket
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from ipaddress import ip_network
from typing import Any

import pytest

from piperoll.webhooks.attempts import Ending
from piperoll.webhooks.sender import Sender
from tests.support.servers.receiver import (
    Answer,
    Receiver,
    body,
    close,
    drip,
    endless,
    gzip_bomb,
    hang,
    redirect,
    status,
)
from tests.support.waiting import PATIENCE_S

LOOPBACK = (ip_network("127.0.0.0/8"),)


@pytest.fixture
async def sender() -> AsyncIterator[Sender]:
    sender = Sender(LOOPBACK)
    yield sender
    await sender.close()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver() as receiver:
        yield receiver


@pytest.mark.parametrize(
    ("answer", "ending", "code"),
    [
        (status(204), Ending.ANSWERED, 204),
        (status(500), Ending.ANSWERED, 500),
        (redirect("/elsewhere"), Ending.ANSWERED, 302),
        (body(b"." * 3_000_000), Ending.ANSWERED, 200),
        (gzip_bomb(), Ending.ANSWERED, 200),
        (endless, Ending.ANSWERED, 200),
        (drip, Ending.ANSWERED, 200),
        (close, Ending.CONNECTION, None),
        (hang, Ending.TIMEOUT, None),
    ],
)
async def test_every_way_to_answer_ends_in_time(
    sender: Sender, receiver: Receiver, answer: Answer, ending: Ending, code: int | None
) -> None:
    receiver.answers("/hook", answer)
    timeout_s = 0.5 if answer is hang else PATIENCE_S
    attempted = await sender.post(receiver.url(), {}, b"{}", timeout_s)
    assert (attempted.ending, attempted.status) == (ending, code)
    assert attempted.duration_ms >= (500 if answer is hang else 0)
    assert [one.path for one in receiver.received] == ["/hook"]


async def test_the_bytes_arrive_as_given_also_when_they_are_many(sender: Sender, receiver: Receiver) -> None:
    sent = bytes(range(256)) * 20_000
    await sender.post(receiver.url(), {"Content-Type": "application/json"}, sent, timeout_s=PATIENCE_S)
    (one,) = receiver.received
    assert one.body == sent
    assert one.headers["Content-Length"] == str(len(sent))


async def test_retry_after_is_passed_on(sender: Sender, receiver: Receiver) -> None:
    receiver.answers("/hook", status(503, Retry_After="17"))
    assert (await sender.post(receiver.url(), {}, b"", PATIENCE_S)).retry_after_s == 17


async def test_a_token_goes_before_credentials_in_the_url(sender: Sender, receiver: Receiver) -> None:
    url = receiver.url().replace("http://", "http://user:password@")
    attempted = await sender.post(url, {"Authorization": "Bearer t"}, b"", PATIENCE_S)
    assert attempted.status == 200
    assert receiver.received[0].headers["Authorization"] == "Bearer t"


async def test_a_token_that_cannot_stand_in_a_header_is_unreadable(sender: Sender, receiver: Receiver) -> None:
    attempted = await sender.post(receiver.url(), {"X-Callback-Token": "a\r\nHost: evil"}, b"", PATIENCE_S)
    assert attempted.ending is Ending.UNREADABLE
    assert not receiver.received


async def test_a_closed_port_is_a_failed_connection(sender: Sender) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    attempted = await sender.post(f"http://127.0.0.1:{port}/", {}, b"", PATIENCE_S)
    assert attempted.ending is Ending.CONNECTION


async def test_an_endpoint_that_speaks_no_tls_is_a_tls_failure(sender: Sender, receiver: Receiver) -> None:
    attempted = await sender.post(receiver.url().replace("http:", "https:"), {}, b"", PATIENCE_S)
    assert attempted.ending is Ending.TLS


@pytest.mark.parametrize("host", ["127.0.0.1", "2130706433", "0x7f000001", "127.1", "localhost", "[::ffff:127.0.0.1]"])
async def test_a_private_address_is_refused_before_anything_is_sent(receiver: Receiver, host: str) -> None:
    sender = Sender(())
    attempted = await sender.post(receiver.url().replace("127.0.0.1", host), {}, b"", PATIENCE_S)
    await sender.close()
    assert attempted.ending is Ending.BLOCKED_ADDRESS
    assert not receiver.received


def resolving_to(*addresses: str) -> Any:
    """A name service that has these addresses for every name."""

    def lookup(host: str, port: int, **_: Any) -> list[tuple[Any, ...]]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    return lookup


@pytest.mark.parametrize("addresses", [("93.184.215.14", "10.0.0.1"), ("10.0.0.1",), ("169.254.169.254",)])
async def test_a_name_that_leads_even_in_part_to_a_private_address_is_refused(addresses: tuple[str, ...]) -> None:
    sender = Sender((), resolving_to(*addresses))
    attempted = await sender.post("http://hook.example/", {}, b"", PATIENCE_S)
    await sender.close()
    assert attempted.ending is Ending.BLOCKED_ADDRESS


async def test_a_name_that_leads_to_an_allowed_address_is_reached(receiver: Receiver) -> None:
    sender = Sender(LOOPBACK, resolving_to("127.0.0.1"))
    attempted = await sender.post(receiver.url().replace("127.0.0.1", "hook.example"), {}, b"", PATIENCE_S)
    await sender.close()
    assert attempted.status == 200


async def test_an_unknown_name_is_reported() -> None:
    def lookup(*_: Any, **__: Any) -> list[tuple[Any, ...]]:
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    sender = Sender((), lookup)
    attempted = await sender.post("http://hook.example/", {}, b"", PATIENCE_S)
    await sender.close()
    assert attempted.ending is Ending.NAME_NOT_FOUND


async def test_a_date_in_retry_after_is_away_from_the_time_of_the_given_clock(receiver: Receiver) -> None:
    sender = Sender(LOOPBACK, clock=lambda: datetime(2020, 1, 1, tzinfo=UTC))
    receiver.answers("/hook", status(503, Retry_After="Wed, 01 Jan 2020 00:01:00 GMT"))
    attempted = await sender.post(receiver.url(), {}, b"{}", PATIENCE_S)
    await sender.close()
    assert attempted.retry_after_s == 60.0
