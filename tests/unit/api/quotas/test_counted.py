"""Quotas that are counted now and then: nothing beyond the limit is admitted, and an admission costs no query."""

import asyncio
from dataclasses import dataclass, field

import pytest

from services.api.http.admission import quota_exceeded
from services.api.http.errors import ApiError, ReadModelUnavailableError
from services.api.quotas import counted
from services.api.quotas.counted import CountedQuota, CountedUse
from tests.support.waiting import wait_until

LIMIT = 10_000


@dataclass
class Tables:
    """What each owner has, and how often that was counted."""

    has: dict[str, int] = field(default_factory=dict)
    counts: list[str] = field(default_factory=list)
    away: bool = False
    answers: asyncio.Event | None = None

    async def count(self, owner: str) -> int:
        self.counts.append(owner)
        await (asyncio.sleep(0) if self.answers is None else self.answers.wait())
        if self.away:
            raise ReadModelUnavailableError("away")
        return self.has.get(owner, 0)


def refusal() -> ApiError:
    return quota_exceeded("open_jobs", LIMIT, "wait", 10)


def quota(tables: Tables, life_s: float = 0.0) -> CountedQuota:
    return CountedQuota(LIMIT, tables.count, life_s, refusal)


async def admitted(one: CountedQuota, tables: Tables, owner: str, amount: int) -> None:
    """What is admitted is in the tables at once."""
    await one.admit(owner, amount)
    tables.has[owner] = tables.has.get(owner, 0) + amount


async def test_an_owner_gets_to_its_limit_and_no_further_and_another_one_is_not_affected() -> None:
    tables = Tables()
    one = quota(tables)
    await admitted(one, tables, "greedy", LIMIT)
    with pytest.raises(ApiError) as error:
        await one.admit("greedy", 1)
    assert (error.value.status, error.value.headers["Retry-After"]) == (429, "10")
    await one.admit("modest", 1)


async def test_what_the_tables_have_counts_after_the_first_count() -> None:
    tables = Tables({"greedy": LIMIT - 1})
    one = quota(tables)
    assert await one.used("greedy") == LIMIT - 1
    await admitted(one, tables, "greedy", 1)
    with pytest.raises(ApiError):
        await one.admit("greedy", 1)


async def test_what_a_count_found_already_is_not_added_to_it_in_a_refusal() -> None:
    tables = Tables()
    one = quota(tables, life_s=60.0)
    await admitted(one, tables, "quick", LIMIT * 6 // 10)
    await one.used("quick")  # once the count beside the admission has ended
    await admitted(one, tables, "quick", LIMIT * 4 // 10)
    assert await asyncio.gather(*(one_admits(one, "quick") for _ in range(50))) == [False] * 50
    assert len(tables.counts) == 3, "one beside the first admission, one before the second and one before all refusals"


async def test_what_has_ended_meanwhile_makes_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counted, "LAG_S", 0.0)
    tables = Tables()
    one = quota(tables)
    await admitted(one, tables, "greedy", LIMIT)
    assert not await one_admits(one, "greedy")
    tables.has["greedy"] -= 1
    await wait_until(lambda: one_admits(one, "greedy"), 5, "what was admitted has ended in the tables")


async def one_admits(one: CountedQuota, owner: str) -> bool:
    try:
        await one.admit(owner, 1)
    except ApiError:
        return False
    return True


async def test_a_thousand_admissions_cost_a_few_counts() -> None:
    tables = Tables()
    one = quota(tables, life_s=60.0)
    for _ in range(1000):
        await one.admit("busy", 1)
        await asyncio.sleep(0)
    assert len(tables.counts) == 1


async def test_nothing_is_refused_while_it_cannot_be_counted() -> None:
    tables = Tables(away=True)
    one = quota(tables, life_s=60.0)
    await one.admit("greedy", LIMIT)
    await one.admit("greedy", LIMIT)
    assert await one.used("greedy") is None
    assert len(tables.counts) == 1


async def test_nothing_waits_for_a_count_while_it_cannot_be_counted() -> None:
    tables = Tables(away=True)
    one = quota(tables)
    await one.admit("greedy", LIMIT + 1)
    tables.answers = asyncio.Event()
    await asyncio.wait_for(one.admit("greedy", 1), 1)
    tables.away, tables.has = False, {"greedy": LIMIT + 2}
    tables.answers.set()

    async def refused() -> bool:
        return not await one_admits(one, "greedy")

    await wait_until(refused, 5, "the count that ran beside the admission")


async def test_what_was_admitted_is_shown_before_the_tables_have_it() -> None:
    one = quota(Tables(), life_s=60.0)
    await one.admit("busy", 1)
    await one.admit("busy", 4)
    assert await one.used("busy") == 5


async def test_a_batch_counts_its_members() -> None:
    tables = Tables()
    one = quota(tables)
    await admitted(one, tables, "greedy", LIMIT - 5)
    with pytest.raises(ApiError):
        await one.admit("greedy", 6)
    await one.admit("greedy", 5)


def test_what_was_admitted_during_a_slow_count_is_not_forgotten() -> None:
    use = CountedUse()
    for tenth in range(20):  # of the seconds that a count takes
        use.add(1, 100 + tenth / 10)
    use.count(0, 100.0)
    assert use.known == 20
