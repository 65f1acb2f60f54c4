"""The worker's Prometheus metrics."""

from prometheus_client import Counter, Gauge, Histogram

SLOTS = Gauge("piperoll_worker_slots", "Child processes that may run jobs")
SLOTS_TAKEN = Gauge("piperoll_worker_slots_taken", "Child processes that run a job now")
CLAIMING = Gauge("piperoll_worker_claiming", "1 while jobs may be started; 0 while a store does not answer")
OLDEST_RUNNABLE = Gauge("piperoll_worker_oldest_runnable_age_seconds", "Age of the oldest job that could run now")
OPEN_JOBS = Gauge("piperoll_worker_open_jobs", "Open jobs in the backlog", ["partition"])
UNACCOUNTED = Gauge(
    "piperoll_jobs_unaccounted", "Open jobs of this worker's partitions that neither wait nor run: always 0"
)
LAG = Gauge("piperoll_worker_lag_records", "Records not read yet", ["partition"])
DOCUMENTS_LAG = Gauge(
    "piperoll_worker_documents_lag_records", "Records of documents and folders not read yet", ["partition"]
)
ATTEMPTS = Counter("piperoll_worker_attempts_total", "Ended attempts", ["job_type", "outcome"])
DURATION = Histogram("piperoll_worker_attempt_seconds", "How long attempts took", ["job_type"])
CHECKPOINTS = Counter("piperoll_worker_checkpoints_total", "Checkpoints written", ["outcome"])
MEMBERS_CANCELLED = Counter(
    "piperoll_worker_batch_members_cancelled_total", "Members of batches that could not be created", ["reason"]
)
ERASED_BLOBS = Counter("piperoll_worker_erased_blobs_total", "Blobs of erased jobs that were deleted")
PENDING_ERASURES = Gauge("piperoll_worker_pending_erasures", "Erasures that are not carried out yet")
OLDEST_PENDING_ERASURE = Gauge(
    "piperoll_worker_oldest_pending_erasure_age_seconds", "Age of the oldest erasure that is not carried out yet"
)
PENDING_REMOVALS = Gauge("piperoll_worker_pending_removals", "Removals of documents and folders not carried out yet")
OLDEST_PENDING_REMOVAL = Gauge(
    "piperoll_worker_oldest_pending_removal_age_seconds", "Age of the oldest removal that is not carried out yet"
)
SWEPT_BLOBS = Counter("piperoll_worker_swept_blobs_total", "Blobs that the sweep deleted, by reason", ["reason"])
SWEEP_STOPPED = Gauge("piperoll_worker_sweep_stopped_blobs", "Blobs that the sweep's brake keeps; 0: it is off")
PARKED = Counter("piperoll_worker_parked_records_total", "Records sent to the dead letters")
