"""What follows from an attempt to send a notice."""

from piperoll.history import History
from piperoll.webhooks.attempts import Attempted, Ending
from schemas.events import (
    WebhookAbandoned,
    WebhookDelivered,
    WebhookFailed,
)
from services.notifier.delivery.verdict import Decision, Verdict
from services.notifier.notices.outcome import not_sent, outcome_of
from tests.support.histories.notices import NOW, claimed


def test_a_delivered_change_is_settled_and_a_failed_one_stays() -> None:
    delivered = outcome_of(claimed(), Attempted(Ending.ANSWERED, 5, 200), Verdict(Decision.DELIVERED), NOW)
    assert (delivered.delay_s, [type(one.data) for one in delivered.facts]) == (None, [WebhookDelivered])
    failed = outcome_of(claimed(1), Attempted(Ending.TIMEOUT, 5), Verdict(Decision.FAILED, "TIMEOUT", delay_s=7.0), NOW)
    assert (failed.delay_s, failed.attempts, failed.gone) == (7.0, 2, False)
    (found,) = failed.facts
    assert isinstance(found.data, WebhookFailed)
    assert (found.data.attempt, found.data.reason, found.data.endpoint_id) == (2, "TIMEOUT", "endpoint-1")
    assert found.data.next_attempt_at == "2026-01-01T12:00:07Z"


def test_the_last_failure_is_recorded_as_failed_and_as_given_up_and_410_ends_the_endpoint() -> None:
    last = outcome_of(claimed(2), Attempted(Ending.TIMEOUT, 5), Verdict(Decision.ABANDONED, "EXHAUSTED"), NOW)
    assert [type(one.data) for one in last.facts] == [WebhookFailed, WebhookAbandoned]
    assert (last.delay_s, last.gone) == (None, False)
    assert outcome_of(claimed(), Attempted(Ending.ANSWERED, 5, 410), Verdict(Decision.ABANDONED, "GONE"), NOW).gone


def test_our_own_fault_is_not_charged_and_a_trial_leaves_no_fact() -> None:
    ours = outcome_of(claimed(4), Attempted(Ending.OURS), Verdict(Decision.REPEAT, delay_s=5.0), NOW)
    assert (ours.attempts, ours.facts, ours.delay_s) == (4, (), 5.0)
    trial = outcome_of(claimed(trial=True), Attempted(Ending.ANSWERED, 5, 200), Verdict(Decision.DELIVERED), NOW)
    assert trial.facts == ()
    assert not_sent(claimed(trial=True), "REMOVED", NOW).facts == ()


def test_each_fact_about_a_change_has_an_id_of_its_own() -> None:
    some = [not_sent(claimed(number=number), "TOO_OLD", NOW).facts[0] for number in (1, 2)]
    assert len({one.id for one in some}) == len({one.data.delivery_id for one in some}) == 2  # type: ignore[attr-defined]


def test_notices_are_not_taken_for_hooks_of_the_jobs_own_webhook() -> None:
    history = History()
    for number in (1, 2, 3):
        outcome = outcome_of(
            claimed(number=number), Attempted(Ending.ANSWERED, 5, 200), Verdict(Decision.DELIVERED), NOW
        )
        history.observe(outcome.facts[0])
    assert history.violations() == []
