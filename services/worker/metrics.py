"""The worker's Prometheus metrics."""

from prometheus_client import Counter, Gauge, Histogram

SLOTS = Gauge("piperoll_worker_slots", "Child processes that may run jobs")
SLOTS_TAKEN = Gauge("piperoll_worker_slots_taken", "Child processes that run a job now")
OLDEST_RUNNABLE = Gauge("piperoll_worker_oldest_runnable_age_seconds", "Age of the oldest job that could run now")
OPEN_JOBS = Gauge("piperoll_worker_open_jobs", "Open jobs in the backlog", ["partition"])
LAG = Gauge("piperoll_worker_lag_records", "Records not read yet", ["partition"])
ATTEMPTS = Counter("piperoll_worker_attempts_total", "Ended attempts", ["job_type", "outcome"])
DURATION = Histogram("piperoll_worker_attempt_seconds", "How long attempts took", ["job_type"])
CHECKPOINTS = Counter("piperoll_worker_checkpoints_total", "Checkpoints written", ["outcome"])
ERASED_BLOBS = Counter("piperoll_worker_erased_blobs_total", "Blobs of erased jobs that were deleted")
SWEPT_BLOBS = Counter("piperoll_worker_swept_blobs_total", "Blobs that the sweep deleted, by reason", ["reason"])
SWEEP_STOPPED = Gauge("piperoll_worker_sweep_stopped_blobs", "Blobs that the sweep's brake keeps; 0: it is off")
PARKED = Counter("piperoll_worker_parked_records_total", "Records sent to the dead letters")
