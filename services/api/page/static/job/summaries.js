/** Numbers about a job from its state and facts. Pure. */
import { texts } from "../texts.js";
import { tookMs } from "../state/shapes.js";

/** Return `{tookMs, waitedMs, pages, method}`; null or empty where unknown. */
export function summaryOf(job, events) {
  const end = events.find((event) => event.type.startsWith("piperoll.JobCompleted."));
  const started = events.find((event) => event.type.startsWith("piperoll.JobStarted."));
  const data = end ? end.data : {};
  return {
    tookMs: data.duration_ms || tookMs(job),
    waitedMs: started ? Math.max(0, Date.parse(started.time) - Date.parse(job.created_at)) : null,
    pages: data.pages || (job.progress && job.progress.pages) || null,
    method: methodName(data.method || (job.parameters && job.parameters.extraction_method)),
  };
}

function methodName(method) {
  const known = method && texts.drop.methods[method];
  return known ? known[0] : method || "";
}
