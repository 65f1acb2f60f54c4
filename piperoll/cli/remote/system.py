"""The client command `system`: services, queue, failing receivers, dead letters, and the last verification."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from piperoll.cli.console import counted, entry, print_line, print_rows, run_command
from piperoll.cli.dead_letters.texts import plain
from piperoll.cli.remote.output import AsJson, first_words, moment, print_json, shown
from piperoll.cli.target import DataDir

if TYPE_CHECKING:
    from piperoll.client.views.system import (
        DeadLettersView,
        PlotView,
        QueueView,
        ReceiverView,
        ServiceView,
        SystemView,
        VerdictView,
    )

UNKNOWN = "unknown"
REASON_CHARS = 80
NAMES = {
    "services": "services",
    "queue": "queue",
    "receivers": "failing receivers",
    "dead_letters": "dead letters",
    "plots": "ended jobs",
    "verify": "last verify",
    "api_processes": "API processes",
}


def system(as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """Show the state of the installation. Needs a key with the scope admin."""
    run_command(_system(as_json, data_dir))


async def _system(as_json: bool, data_dir: Path | None) -> int:
    from piperoll.cli.remote.connection import connected

    async with connected(data_dir) as client:
        found = await client.system()
    if as_json:
        print_json(found)
    else:
        _show(found)
    return 0


def _show(found: "SystemView") -> None:
    for name, reason in found.unknown.items():
        entry(UNKNOWN, f"{NAMES.get(name, name)}: {reason}")
    if found.services is not None:
        print_rows(("service", "process", "partitions", "slots", "lag"), process_rows(found.services))
        print_line()
    if found.queue is not None:
        entry("queue", queue_line(found.queue, found.at))
        groups = [(one.owner, one.job_type, str(one.pending), str(one.processing)) for one in found.queue.groups]
        if groups:
            print_rows(("owner", "type", "waiting", "running"), groups)
            print_line()
    for name, plot in (found.plots or {}).items():
        entry(f"last {name}", plot_line(plot))
    if found.receivers is not None:
        _show_receivers(found.receivers)
    if found.dead_letters is not None:
        _show_letters(found.dead_letters)
    if "verify" not in found.unknown:
        entry("verify", verdict_line(found.verify))


def _show_receivers(found: "Sequence[ReceiverView]") -> None:
    entry("receivers", f"{len(found)} failing" if found else "none fails")
    rows = [
        (
            one.owner,
            shown(one.origin),
            str(one.waiting),
            str(one.attempts),
            f"{shown(one.reason)} {shown(one.status)}".strip(),
            moment(one.next_attempt_at),
        )
        for one in found
    ]
    if rows:
        print_rows(("owner", "receiver", "waiting", "attempts", "last failure", "next try"), rows)
        print_line()


def _show_letters(found: "DeadLettersView") -> None:
    entry("dead letters", f"{found.count:,} wait for a decision, {found.stopped:,} of them stop a partition")
    rows = [(one.id, one.state, plain(one.key), first_words(plain(one.reason), REASON_CHARS)) for one in found.newest]
    if rows:
        print_rows(("id", "state", "key", "why"), rows)
        print_line()


def process_rows(services: "Sequence[ServiceView]") -> list[tuple[str, ...]]:
    """Return a row for each process, and one for a service that has none. The lag is that of the service."""
    rows: list[tuple[str, ...]] = []
    for service in services:
        lag = "" if service.service == "api" else UNKNOWN if service.lag is None else f"{service.lag:,}"
        for one in service.processes or ():
            slots = "" if one.slots is None else f"{one.slots}, {UNKNOWN if one.running is None else one.running} taken"
            rows.append((service.service, one.instance, shown(one.partitions), slots, lag))
        if not service.processes:
            state = UNKNOWN if service.processes is None else "none runs"
            rows.append((service.service, state, "", "", lag))
    return rows


def queue_line(queue: "QueueView", now: datetime) -> str:
    """Return the sums, and how long the oldest job has waited."""
    line = f"{queue.pending:,} waiting, {queue.processing:,} running"
    if queue.oldest is None:
        return line
    waits = max(0, round((now - queue.oldest.created_at).total_seconds()))
    return f"{line}; the oldest has waited {waits:,} s: {queue.oldest.job_id}"


def plot_line(plot: "PlotView") -> str:
    """Return the sums of a plot, and its newest durations."""
    ended = [sum(getattr(one, name) for one in plot.points) for name in ("completed", "failed", "cancelled")]
    line = "{:,} completed, {:,} failed, {:,} cancelled".format(*ended)
    timed = [one for one in plot.points if one.p50_s is not None]
    if not timed:
        return line
    last = timed[-1]
    return f"{line}; half within {last.p50_s:,.2f} s, 95 % within {last.p95_s:,.2f} s at {moment(last.at)}"


def verdict_line(found: "VerdictView | None") -> str:
    """Return the last verdict and its time."""
    if found is None:
        return "never ran: `piperoll verify` compares the tables with the log"
    verdict = "holds" if found.verdict == "holds" else f"violated: {counted(found.violations, 'violation')}"
    return f"{verdict}, {moment(found.ended_at)}"
