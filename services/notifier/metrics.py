"""The notifier's metrics."""

from prometheus_client import Counter, Gauge, Histogram

ATTEMPTS = Counter("piperoll_notifier_attempts", "Hooks attempted, by outcome", ["phase", "outcome", "reason"])
ATTEMPT_SECONDS = Histogram(
    "piperoll_notifier_attempt_seconds",
    "Response times of receivers",
    ["phase"],
    buckets=(0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 30),
)
DELIVERY_SECONDS = Histogram(
    "piperoll_notifier_delivery_seconds",
    "From a job's end to its final hook's delivery",
    buckets=(0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300, 3600, 86400),
)
IN_FLIGHT = Gauge("piperoll_notifier_in_flight_hooks", "Hooks being posted now")
PAUSED = Gauge("piperoll_notifier_failing_receivers", "Receivers slowed down after failures")
DUE = Gauge("piperoll_notifier_due_jobs", "Jobs with a hook due now")
OLDEST_DUE = Gauge("piperoll_notifier_oldest_due_seconds", "Age of the oldest due hook")
UNACCOUNTED = Gauge(
    "piperoll_notifier_hooks_unaccounted", "Final hooks that are neither settled nor will ever be due: always 0"
)
OUTBOX = Gauge("piperoll_notifier_outbox_facts", "Facts that the log has not acknowledged")
LAG = Gauge("piperoll_notifier_lag_records", "Records not read yet", ["topic", "partition"])
PARKED = Counter("piperoll_notifier_parked_records", "Records sent to the dead letters", ["topic"])
