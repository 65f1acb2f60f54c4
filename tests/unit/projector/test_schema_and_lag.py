"""The SQL of the tables by schema, and how lag is judged."""

from schemas.read_model_names import POSITIONS_CHANNEL
from services.projector.database.schema import queries
from services.projector.metrics import CAUGHT_UP_RECORDS, STILL_S, Lag


def test_the_sql_of_another_schema_writes_and_notifies_nothing_of_the_live_one() -> None:
    for statement in queries("queries.sql", "elsewhere").values():
        assert "read_v1" not in statement


def test_positions_are_announced_on_the_channel_of_the_contract() -> None:
    assert f"'{POSITIONS_CHANNEL}'" in queries("queries.sql")["advance"]


def test_lag_is_a_problem_only_when_it_is_large_and_still() -> None:
    now = 0.0
    lag = Lag("jobs", clock=lambda: now)
    lag.moved(0, CAUGHT_UP_RECORDS + 1)
    assert lag.problem() is None
    now = STILL_S + 1
    assert "are not projected" in (lag.problem() or "")
    lag.forget(0)
    assert lag.problem() is None
