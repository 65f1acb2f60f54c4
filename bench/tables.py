"""Measurements into rows: what is shown, in which units, against which aim."""

from collections.abc import Sequence

from bench.accounts import MIB, OURS
from bench.costs import Costs
from bench.latency import Latency
from bench.noop import Burst
from bench.pages import Pages
from bench.posts import Posts
from bench.report import Table

WARM_JOBS = 2000


def speed(rows: list[Sequence[str]]) -> Table:
    """What the aims are about."""
    note = (
        "PDF: 2 worker processes, documents of 100 to 300 text pages; bare is a multiprocessing loop over PyMuPDF's "
        "get_text. The processor reads with MuPDF's own calls, which are quicker. Jobs/s: from the first POST until "
        "the last job is readable as completed and its webhook answered. Latency: from when a POST was due until its "
        "row was committed; “client” until a long poll (`?wait=`) returned it. Middle of several rounds."
    )
    return Table("Speed", ("What", "Measured", "Aim", "Reached", "Detail"), rows, note)


def pages_rows(pages: Pages) -> list[Sequence[str]]:
    """The system against the bare loops."""
    calls = f"{pages.system:,.0f} : {pages.calls:,.0f} pages/s"
    return [
        _at_least("PDF pages/s, system : bare", pages.ratio, 0.85, f"{pages.system:,.0f} : {pages.bare:,.0f} pages/s"),
        ("PDF pages/s, system : bare with the processor's calls", f"{pages.calls_ratio:.2f}", "", "", calls),
    ]


def noop_rows(plain: Sequence[Burst], told: Sequence[Burst]) -> list[Sequence[str]]:
    """Jobs a second without and with a webhook."""
    return [
        _at_least("No-op jobs/s", plain[0].per_second, 500, _range(plain)),
        _at_least("No-op jobs/s, one webhook each", told[0].per_second, 300, _range(told)),
    ]


def latency_rows(one: Latency) -> list[Sequence[str]]:
    """Until a job is readable, at one rate."""
    detail = (
        f"acknowledged {one.acknowledged[0]:.0f} / {one.acknowledged[1]:.0f} ms, "
        f"client {one.read[0]:.0f} / {one.read[1]:.0f} ms"
    )
    return [
        _at_most(f"Latency at {one.per_second:g} jobs/s, p50", one.readable[0], 40, detail),
        _at_most(f"Latency at {one.per_second:g} jobs/s, p99", one.readable[1], 100, ""),
    ]


def posts_row(posts: Posts) -> Sequence[str]:
    """The API against the bare one."""
    detail = f"{posts.api:,.0f} : {posts.bare:,.0f} POST/s"
    return _at_least("POST/s acknowledged, API : bare", posts.ratio, 0.7, detail)


def cpu(plain: Burst, told: Burst) -> Table:
    """CPU milliseconds a job, by process."""
    rows: list[Sequence[str]] = [(name, f"{plain.cpu_ms(name):.2f}", f"{told.cpu_ms(name):.2f}") for name in OURS]
    both = (plain, told)
    rows.append(("all", *(f"{sum(map(one.cpu_ms, OURS)):.2f}" for one in both)))
    rows.append(("load generator and receiver, share of a core", *(f"{one.generator_share:.0%}" for one in both)))
    rows.append(("others on this machine, share of it", *(f"{one.spent.elsewhere:.0%}" for one in both)))
    rows.append(("projector commits a job", *(f"{one.commits_per_job:.2f}" for one in both)))
    rows.append(("webhooks a job", *(f"{one.hooks_per_job:.2f}" for one in both)))
    return Table("CPU a job, in ms", ("Process", "no-op", "with a webhook"), rows)


def memory(rest: dict[str, int], after: dict[str, int]) -> Table:
    """Resident memory before and after."""
    rows: list[Sequence[str]] = [
        (name, mib(rest[name]), mib(after[name]), f"{(after[name] - rest[name]) / MIB:+.0f}") for name in OURS
    ]
    totals = (sum(rest.values()), sum(after.values()))
    rows.append(("all", *map(mib, totals), f"{(totals[1] - totals[0]) / MIB:+.0f}"))
    columns = ("Process", "at rest", f"after {WARM_JOBS:,} jobs", "growth")
    note = "Of Postgres and of the two child processes the sum of their shares (PSS), of the others what is resident."
    return Table("Memory, in MiB", columns, rows, note)


def log_costs(costs: Costs, jobs: int) -> Table:
    """What a job with a webhook weighs in the log."""
    rows: list[Sequence[str]] = [
        (name, f"{weight.records / jobs:.2f}", f"{weight.bytes / weight.records:,.0f}", f"{weight.bytes / jobs:,.0f}")
        for name, weight in sorted(costs.events.items(), key=lambda item: -item[1].bytes)
    ]
    total = sum(weight.bytes for weight in costs.events.values())
    rows.append(("all", f"{sum(w.records for w in costs.events.values()) / jobs:.2f}", "", f"{total / jobs:,.0f}"))
    rows.append(("on disk, batches' heads included", "", "", f"{costs.log_bytes / jobs:,.0f}"))
    return Table("A job in the log", ("Event", "records a job", "bytes a record", "bytes a job"), rows)


def database_costs(costs: Costs, jobs: int) -> Table:
    """What a job with a webhook writes in Postgres."""
    rows: list[Sequence[str]] = [
        (name, *(f"{count / jobs:.2f}" for count in counts[:3]), f"{counts[3] / jobs:,.0f}")
        for name, counts in sorted(costs.tables.items())
    ]
    rows.append(("write-ahead log", "", "", "", f"{costs.wal / jobs:,.0f}"))
    columns = ("Table", "inserted", "updated", "deleted", "bytes")
    return Table("A job in Postgres: rows and bytes on disk", columns, rows)


def _at_least(what: str, value: float, aim: float, detail: str) -> Sequence[str]:
    shown = f"{value:.2f}" if aim < 10 else f"{value:,.0f}"
    return what, shown, f"≥ {aim:g}", f"{value / aim:.0%}", detail


def _at_most(what: str, milliseconds: float, aim: float, detail: str) -> Sequence[str]:
    return what, f"{milliseconds:.0f} ms", f"≤ {aim:g} ms", f"{aim / milliseconds:.0%}", detail


def _range(bursts: Sequence[Burst]) -> str:
    rates = [one.per_second for one in bursts]
    posts = bursts[0].posts_per_second
    return f"{min(rates):,.0f} to {max(rates):,.0f} in {len(rates)} rounds; {posts:,.0f} POST/s meanwhile"


def mib(size: float) -> str:
    """Bytes as whole MiB."""
    return f"{size / MIB:,.0f}"
