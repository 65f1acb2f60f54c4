"""The message that a trial posts."""

import re
from datetime import UTC, datetime
from typing import get_args

from pydantic_core import from_json
from standardwebhooks import Webhook as Verifier

from piperoll.clock import utc_now
from piperoll.webhooks.messages import USER_AGENT
from piperoll.webhooks.signatures import SigningKey, draw_private_key, draw_secret, read_private_key
from schemas.events import Phase
from schemas.job_types.parameters import Webhook
from services.api.trials.posting import PHASE, trial

URL = "https://hooks.example/in?a=1"


def a_key() -> SigningKey:
    return SigningKey("signing-1", draw_secret(), read_private_key(draw_private_key()))


def test_a_trial_looks_like_a_webhook_and_is_marked() -> None:
    keys, now = [a_key(), a_key()], utc_now()
    webhook_id, posted = trial(Webhook(url=URL, token="s3cret"), keys, now)
    sent = from_json(posted.body)
    assert sent["phase"] == PHASE
    assert PHASE not in get_args(Phase)
    assert re.fullmatch(r"trial-[0-9a-f]{32}", sent["process"]["id"])
    assert sent["job"] == {"id": sent["process"]["id"]}
    assert sent["schema_version"] == 1
    assert "no such job" in sent["message"]
    signature = posted.headers.pop("webhook-signature")
    assert posted.headers == {
        "Content-Type": "application/json",
        "Accept": "application/json",
        "Accept-Encoding": "identity",
        "User-Agent": USER_AGENT,
        "Authorization": "Bearer s3cret",
        "X-Callback-Token": "s3cret",
        "webhook-id": webhook_id,
        "webhook-timestamp": str(int(now.timestamp())),
    }
    assert [one.partition(",")[0] for one in signature.split()] == ["v1", "v1a", "v1", "v1a"]
    for key in keys:
        assert Verifier(key.secret).verify(posted.body, {**posted.headers, "webhook-signature": signature}) == sent


def test_no_two_trials_have_the_same_id_and_one_without_a_token_sends_none() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    (first, posted), (second, _) = (trial(Webhook(url=URL), [a_key()], now) for _ in range(2))
    assert first != second
    assert not {"Authorization", "X-Callback-Token"} & posted.headers.keys()
