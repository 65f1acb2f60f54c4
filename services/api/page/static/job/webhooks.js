/** The attempts at a job's webhooks. */
import { useEffect } from "preact/hooks";
import { Ago, Button, Empty, Foreign } from "../parts/controls.js";
import { duration, relative } from "../parts/formats.js";
import { html } from "../parts/html.js";
import { Icon } from "../parts/icons.js";
import { useWork } from "../parts/work.js";
import { call, drawKey } from "../state/api.js";
import { now } from "../state/clock.js";
import { ended } from "../state/shapes.js";
import { toast } from "../state/toasts.js";
import { texts } from "../texts.js";
import { DELIVERIES_MS } from "./store.js";

const t = texts.job.webhooks;
const ICONS = { __proto__: null, delivered: "check", failed: "again", abandoned: "close", requested: "send" };

export function Webhooks({ followed, job }) {
  useEffect(() => {
    const timer = setInterval(() => followed.watchDeliveries(), DELIVERIES_MS);
    return () => clearInterval(timer);
  }, [followed]);
  const found = followed.deliveries.value || [];
  const webhook = job.parameters && job.parameters.webhook;
  if (!found.length && !webhook) return html`<${Empty} title=${texts.job.tabs.webhooks} text=${t.none} />`;
  return html`<div class="webhooks">
    ${webhook && html`<div class="webhook-head"><div><p class="hint">${t.to}</p><p class="webhook-url"><${Foreign} text=${webhook.url} /></p></div>
      ${ended(job) && html`<${Redeliver} id=${job.job_id} followed=${followed} />`}</div>`}
    ${!found.length && html`<p class="hint">${t.waiting}</p>`}
    <ol class="deliveries">${found.map((one, index) => html`<${Delivery} key=${index} one=${one} />`)}</ol></div>`;
}

function Redeliver({ id, followed }) {
  const [busy, doing] = useWork();
  const send = doing(async () => {
    await call("POST", `/api/jobs/${id}/deliveries/redeliver`, { body: {}, headers: { "Idempotency-Key": drawKey() } });
    toast(t.redelivered);
    await followed.watchDeliveries();
  });
  return html`<${Button} icon="send" disabled=${busy} onClick=${send}>${t.redeliver}<//>`;
}

function Delivery({ one }) {
  const answer = one.outcome === "delivered" ? t.answered(one.status, duration(one.duration_ms)) : one.reason || "";
  const next = one.next_attempt_at ? Date.parse(one.next_attempt_at) : null;
  return html`<li class=${`delivery ${one.outcome}`}>
    <span class="delivery-mark"><${Icon} name=${ICONS[one.outcome] || "send"} size=${14} /></span>
    <div><p><strong>${t.outcome[one.outcome] || one.outcome}</strong> <span class="chip">${t.phase[one.phase] || one.phase}</span>
      ${one.attempt > 0 && html`<span class="hint">${t.attempt(one.attempt)}</span>`}</p>
      <p class="hint">${one.endpoint_id ? t.endpoint(one.endpoint_id) : t.job}${answer && html`: <${Foreign} text=${answer} />`}${next && next > now.value && `, ${t.next(relative(next, now.value))}`}</p>
      <p class="hint mono">${one.delivery_id}</p></div>
    <${Ago} time=${one.time} className="hint" /></li>`;
}
