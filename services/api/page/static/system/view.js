/** The installation as a whole, for administrators (docs/contract/additions.md#system). */
import { useEffect, useState } from "preact/hooks";
import { Ago, Button, Problem } from "../parts/controls.js";
import { html } from "../parts/html.js";
import { now } from "../state/clock.js";
import { explain } from "../state/errors.js";
import { texts } from "../texts.js";
import { Letters, Receivers, Verified } from "./lists.js";
import { Plots } from "./plot.js";
import { problem, read, state, watch } from "./store.js";
import { Queue, Services } from "./tables.js";
import { Tiles } from "./tiles.js";

const t = texts.system;
const SPANS = ["hour", "day"];

export function SystemView() {
  useEffect(watch, []);
  const found = state.value;
  return html`<header class="head"><h1>${t.title}</h1>${found && html`<p class="hint">${t.asOf} <${Ago} time=${found.at} /></p>`}</header>
    ${problem.value && html`<${Problem} ...${explain(problem.value)}>${problem.value.status !== 403 && html`<${Button} icon="again" onClick=${read}>${t.retry}<//>`}<//>`}
    ${found ? html`<${State} found=${found} />` : !problem.value && html`<p class="hint" role="status">${t.loading}</p>`}`;
}

function State({ found }) {
  const unknown = Object.entries(found.unknown);
  return html`<div class="system">${unknown.length > 0 && html`<div class="note" role="status"><p>${t.partly}</p><ul>${unknown.map(([name, reason]) => html`<li>${t.parts[name] || name}: ${reason}</li>`)}</ul></div>`}
    <${Tiles} found=${found} now=${now.value} />
    <${Part} name="services" of=${found.services}>${(services) => html`<${Services} services=${services} />`}<//>
    <${Part} name="plots" of=${found.plots}>${(plots) => html`<${Spans} plots=${plots} />`}<//>
    <${Part} name="queue" of=${found.queue}>${(queue) => html`<${Queue} queue=${queue} />`}<//>
    <${Part} name="receivers" of=${found.receivers}>${(receivers) => html`<${Receivers} receivers=${receivers} />`}<//>
    <${Part} name="letters" of=${found.dead_letters}>${(letters) => html`<${Letters} letters=${letters} />`}<//>
    <${Part} name="verify" of=${"verify" in found.unknown ? null : { verify: found.verify }}>${({ verify }) => html`<${Verified} verify=${verify} />`}<//></div>`;
}

/** A section of a part of the state; null is not known. */
function Part({ name, of, children }) {
  return html`<section class="card part" aria-labelledby=${`system-${name}`}><h2 id=${`system-${name}`}>${t[name].title}</h2><p class="hint">${t[name].lead}</p>
    ${of === null ? html`<p class="none">${t.notKnown}</p>` : children(of)}</section>`;
}

function Spans({ plots }) {
  const [span, setSpan] = useState("hour");
  return html`<div class="spans" role="group" aria-label=${t.plots.spans}>${SPANS.map((name) => html`<button type="button" class="button plain small" aria-pressed=${name === span} onClick=${() => setSpan(name)}>${t.plots.span[name]}</button>`)}</div>
    <${Plots} plot=${plots[span]} span=${span} />`;
}
