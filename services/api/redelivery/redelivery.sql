-- Queries of hooks that can be sent again. Each statement is one snapshot.

-- unsent: final hooks of an owner that were held or given up at a receiver since a time, and the number of all of them
-- The newest fact about a hook counts: hooks that were delivered or requested since are not included.
SELECT d.job_id, d.data ->> 'phase' AS phase, count(*) OVER () AS total
FROM read_v1.deliveries d
JOIN read_v1.jobs j USING (job_id)
WHERE d.type = 'piperoll.WebhookAbandoned.v1' AND d.data ->> 'origin_sha256' = $2 AND d.time >= $3
  AND d.data ->> 'phase' <> 'processing' AND j.owner = $1 AND NOT j.erased
  AND NOT EXISTS (
      SELECT FROM read_v1.deliveries later
      WHERE later.job_id = d.job_id AND later.log_offset > d.log_offset AND later.data ->> 'endpoint_id' IS NULL
        AND later.type IN ('piperoll.WebhookDelivered.v1', 'piperoll.WebhookAbandoned.v1',
                           'piperoll.WebhookRedeliveryRequested.v1'))
ORDER BY d.time, d.job_id
LIMIT $4;
