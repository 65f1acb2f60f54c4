/** The limits of the owner and what it uses of them (docs/contract/additions.md#limits-of-an-owner). */
import { Button } from "../parts/controls.js";
import { number, size } from "../parts/formats.js";
import { html } from "../parts/html.js";
import { Bar } from "../parts/status.js";
import { session } from "../session/session.js";
import { texts } from "../texts.js";
import { Loaded, useLoaded } from "./loaded.js";

const t = texts.connections.limits;
const NEAR = 0.8;

export function Limits() {
  const known = useLoaded("/api/limits");
  return html`<section class="card part" aria-labelledby="limits-title"><h2 id="limits-title">${t.title}</h2>
    <p class="hint">${t.lead(session.value.owner)}</p>
    <${Loaded} from=${known}>${(found) => html`${Object.entries(t.groups).map(([group, [title, hint]]) => html`<h3>${title}</h3><p class="hint">${hint}</p>
      <ul class="meters">${Object.entries(found[group] || {}).map(([name, quota]) => html`<${Quota} key=${name} name=${name} quota=${quota} />`)}</ul>`)}
      <div class="line"><${Button} icon="again" onClick=${known.read}>${t.refresh}<//></div>`}<//></section>`;
}

function Quota({ name, quota }) {
  const shown = name.endsWith("_bytes") ? size : number;
  const title = t.names[name] || name;
  const share = typeof quota.used === "number" && quota.limit > 0 ? quota.used / quota.limit : null;
  return html`<li class="meter"><p><span>${title}</span><span class="number hint">${sentenceOf(quota, shown)}</span></p>
    ${share !== null && html`<${Bar} percent=${share * 100} label=${title} status=${share >= NEAR ? "near" : "calm"} />`}</li>`;
}

function sentenceOf({ used, limit }, shown) {
  if (typeof used === "number") return t.used(shown(used), shown(limit));
  return used === null ? t.uncounted(shown(limit)) : t.most(shown(limit));
}
