/** What can be done with a job: cancel, run again, erase. */
import { Button } from "../parts/controls.js";
import { ask } from "../parts/dialog.js";
import { html } from "../parts/html.js";
import { useWork } from "../parts/work.js";
import { call, drawKey } from "../state/api.js";
import { jobHash } from "../state/places.js";
import { go, listHash } from "../state/route.js";
import { ended } from "../state/shapes.js";
import { toast } from "../state/toasts.js";
import { texts } from "../texts.js";

const t = texts.job;

export function Actions({ job, followed }) {
  const [busy, doing] = useWork();
  const path = `/api/jobs/${encodeURIComponent(job.job_id)}`;
  const cancel = doing(async () => {
    if (!(await ask({ ...t.confirmCancel, no: t.no }))) return;
    const found = await call("POST", `${path}/cancel`, { body: {} });
    toast(found && ended(found) ? t.cancelled : t.cancelling);
    await followed.read();
  });
  const restart = doing(async () => {
    const made = await call("POST", `${path}/restart`, { headers: { "Idempotency-Key": drawKey() } });
    toast(t.restarted);
    go(jobHash(made.job_id));
  });
  const erase = doing(async () => {
    if (!(await ask({ ...t.confirmErase, no: t.no }))) return;
    followed.close();
    await call("DELETE", path);
    toast(t.erased);
    go(listHash.value);
  });
  return html`<div class="actions" role="group" aria-label=${t.actions}>
    ${ended(job) ? html`<${Button} icon="again" disabled=${busy} onClick=${restart}>${t.restart}<//>` : html`<${Button} icon="stop" disabled=${busy} onClick=${cancel}>${t.cancel}<//>`}
    <${Button} kind="quiet-danger" icon="trash" disabled=${busy} onClick=${erase}>${t.erase}<//></div>`;
}
