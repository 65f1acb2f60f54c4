/** The API keys of all owners, for admins: list, make, rotate, end (docs/contract/additions.md#api-keys). */
import { useState } from "preact/hooks";
import { Ago, Button, Foreign } from "../parts/controls.js";
import { ask, Dialog } from "../parts/dialog.js";
import { relative } from "../parts/formats.js";
import { html } from "../parts/html.js";
import { useWork } from "../parts/work.js";
import { session } from "../session/session.js";
import { call, drawKey } from "../state/api.js";
import { now } from "../state/clock.js";
import { toast } from "../state/toasts.js";
import { texts } from "../texts.js";
import { KeyForm } from "./key-form.js";
import { stateOf } from "./key-states.js";
import { Loaded, useLoaded } from "./loaded.js";
import { ShownOnce } from "./secret.js";

const t = texts.connections.keys;
const DAY_S = "86400";

/** The keys; a caller without the scope gets the sentence of the API's refusal. */
export function ApiKeys() {
  const known = useLoaded("/api/keys");
  const [secret, setSecret] = useState("");
  const made = (found) => {
    setSecret(found.key);
    known.read();
  };
  return html`<section class="card part" aria-labelledby="keys-title"><h2 id="keys-title">${t.title}</h2>
    <p class="hint">${t.lead}</p>
    ${secret && html`<${ShownOnce} title=${texts.connections.once.key} secret=${secret} onDone=${() => setSecret("")} />`}
    <${Loaded} from=${known}>${({ keys }) => html`<${KeyForm} onMade=${made} /><${KeyList} keys=${keys} onMade=${made} read=${known.read} />`}<//></section>`;
}

function KeyList({ keys, onMade, read }) {
  const [all, setAll] = useState(false);
  const ended = keys.filter((key) => stateOf(key, now.value).state === "ended").length;
  const shown = all ? keys : keys.filter((key) => stateOf(key, now.value).state !== "ended");
  if (!keys.length) return html`<p class="none">${t.none}</p>`;
  return html`<ul class="things" aria-label=${t.list}>${shown.map((key) => html`<${ApiKey} key=${key.id} one=${key} onMade=${onMade} read=${read} />`)}</ul>
    ${ended > 0 && html`<label class="check"><input type="checkbox" checked=${all} onChange=${(event) => setAll(event.currentTarget.checked)} /> ${t.showEnded(ended)}</label>`}`;
}

function ApiKey({ one, onMade, read }) {
  const [busy, doing] = useWork();
  const [rotating, setRotating] = useState(false);
  const { state, at } = stateOf(one, now.value);
  const own = one.id === session.value.key_id;
  const path = `/api/keys/${encodeURIComponent(one.id)}`;
  const end = doing(async () => {
    if (!(await ask({ ...t.confirm(one.id, one.owner), no: texts.connections.keep }))) return;
    await call("DELETE", path);
    toast(t.ended);
    await read();
  });
  const rotate = (overlap) => doing(async () => {
    setRotating(false);
    onMade(await call("POST", `${path}/rotate`, { body: { overlap_s: overlap }, headers: { "Idempotency-Key": drawKey() } }));
  })();
  const until = at === null ? t.forever : (state === "ended" ? t.endedAgo : t.endsIn)(relative(at, now.value));
  return html`<li class=${`thing ${state}`} data-key=${one.id}><div><p class="thing-name"><${Foreign} text=${one.owner} /> <span class=${`chip ${state}`}>${t.states[state]}</span>${own && html`<span class="chip own">${t.yours}</span>`}</p>
      <p class="hint"><span class="mono">${one.id}</span> · ${one.scopes.join(", ")} · ${until}</p>
      ${one.created_at && html`<p class="hint">${texts.connections.created} <${Ago} time=${one.created_at} /></p>`}</div>
    ${state !== "ended" && html`<div class="line"><${Button} icon="again" disabled=${busy} onClick=${() => setRotating(true)}>${t.rotate}<//>
      ${!own && html`<${Button} kind="quiet-danger" icon="stop" disabled=${busy} onClick=${end}>${t.end}<//>`}</div>`}
    ${rotating && html`<${Rotation} one=${one} own=${own} onClose=${() => setRotating(false)} onChosen=${rotate} />`}</li>`;
}

function Rotation({ one, own, onClose, onChosen }) {
  const submit = (event) => {
    event.preventDefault();
    onChosen(Number(event.currentTarget.elements.namedItem("overlap").value));
  };
  return html`<${Dialog} title=${t.rotateTitle(one.id)} onClose=${onClose}><form onSubmit=${submit}>
    <p>${t.rotateText}${own && ` ${t.rotateOwn}`}</p>
    <div class="field"><label for="overlap">${t.overlap}</label><select id="overlap" name="overlap">
      ${Object.entries(t.overlaps).map(([seconds, text]) => html`<option value=${seconds} selected=${seconds === DAY_S}>${text}</option>`)}</select></div>
    <div class="dialog-actions"><${Button} onClick=${onClose}>${texts.connections.keep}<//><button class="button primary" type="submit">${t.rotateYes}</button></div></form><//>`;
}
