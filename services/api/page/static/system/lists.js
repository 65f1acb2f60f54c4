/** Failing receivers, dead letters with the way back, and the last verification. */
import { Ago, Button, focusContent, Foreign } from "../parts/controls.js";
import { ask } from "../parts/dialog.js";
import { number } from "../parts/formats.js";
import { html } from "../parts/html.js";
import { useWork } from "../parts/work.js";
import { toast } from "../state/toasts.js";
import { texts } from "../texts.js";
import { redrive } from "./store.js";

const t = texts.system;

export function Receivers({ receivers }) {
  if (!receivers.length) return html`<p class="none">${t.receivers.none}</p>`;
  return html`<ul class="things">${receivers.map((one) => html`<li class="thing" key=${`${one.owner} ${one.origin} ${one.kind}`}><div>
    <p class="thing-name"><${Foreign} text=${one.origin || t.unknown} /></p>
    <p class="hint"><${Foreign} text=${one.owner} /> · ${t.receivers.kinds[one.kind] || one.kind} · ${t.receivers.waiting(one.waiting)} · ${t.receivers.attempts(one.attempts)}</p>
    <p class="hint">${one.reason && `${t.receivers.last(one.reason, one.status)} · `}${t.receivers.next} <${Ago} time=${one.next_attempt_at} /></p></div></li>`)}</ul>`;
}

export function Letters({ letters }) {
  if (!letters.count) return html`<p class="none">${t.letters.none}</p>`;
  return html`<p class="hint">${letters.places.map((one) => t.letters.place(one.topic, one.partition, one.count)).join(" · ")}</p>
    ${!letters.complete && html`<p class="hint">${t.letters.incomplete}</p>`}
    <ul class="things" aria-label=${t.letters.list}>${letters.newest.map((one) => html`<${Letter} key=${one.id} one=${one} />`)}</ul>
    ${letters.count > letters.newest.length && html`<p class="hint">${t.letters.more(letters.count - letters.newest.length)}</p>`}`;
}

function Letter({ one }) {
  const [busy, doing] = useWork();
  const put = doing(async () => {
    toast(t.letters.done(await redrive(one.id)));
    focusContent();
  });
  const back = async () => (await ask({ ...t.letters.confirm(one.id), no: t.letters.keep })) && put();
  const stopped = one.state === "stopped";
  return html`<li class="thing" data-letter=${one.id}><div>
      <p class="thing-name"><span class="mono">${one.id}</span> <span class=${`chip ${one.state}`}>${t.letters.states[one.state] || one.state}</span></p>
      <p class="letter-why"><${Foreign} text=${one.reason} /></p>
      <p class="hint">${one.key ? html`${t.letters.key} <${Foreign} text=${one.key} className="mono" /> · ` : ""}${one.type ? html`<${Foreign} text=${one.type} className="mono" /> · ` : ""}${one.by.join(", ")} · <${Ago} time=${one.at} /></p></div>
    ${stopped ? html`<p class="hint letter-stopped">${t.letters.stopped}</p>` : html`<div class="line"><${Button} icon="again" disabled=${busy} onClick=${back} aria-label=${t.letters.backOf(one.id)}>${t.letters.back}<//></div>`}</li>`;
}

export function Verified({ verify }) {
  if (!verify) return html`<p class="none">${t.verify.none}</p>`;
  return html`<p class="verdict"><span class=${`chip ${verify.verdict}`}>${t.verify.verdicts[verify.verdict] || verify.verdict}</span> <${Ago} time=${verify.ended_at} /></p>
    <p class="hint">${t.verify.compared(number(verify.jobs), number(verify.records), verify.seconds)}</p>
    ${verify.violations > 0 && html`<p>${t.verify.violations(verify.violations)}</p><ul class="sentences">${verify.sentences.map((one) => html`<li><${Foreign} text=${one} /></li>`)}</ul>`}`;
}
