/** Tests a webhook and shows the diagnosis, step by step. */
import { useState } from "preact/hooks";
import { Foreign, Problem } from "../parts/controls.js";
import { duration } from "../parts/formats.js";
import { html } from "../parts/html.js";
import { Icon } from "../parts/icons.js";
import { announce } from "../state/announce.js";
import { call } from "../state/api.js";
import { explain, sentenceCase } from "../state/errors.js";
import { texts } from "../texts.js";
import { isAddress } from "./loaded.js";
import { stepsOf } from "./steps.js";

const t = texts.connections.trial;
const ICONS = { done: "check", wrong: "close", open: "pause", unknown: "pause" };

/** The form; `url` is the address that it begins with. */
export function Trial({ url }) {
  const [state, setState] = useState({});
  const submit = async (event) => {
    event.preventDefault();
    const fields = event.currentTarget.elements;
    const body = { url: fields.namedItem("url").value.trim(), token: fields.namedItem("token").value || undefined };
    if (!isAddress(body.url)) return setState({ wrong: texts.connections.endpoints.badUrl });
    setState({ busy: true });
    try {
      const found = await call("POST", "/api/webhooks/test", { body });
      announce(found.ok ? t.arrived : t.missed);
      setState({ found, url: body.url });
    } catch (error) {
      setState({ error });
    }
  };
  return html`<section class="card part" aria-labelledby="trial-title"><h2 id="trial-title">${t.title}</h2>
    <p class="hint">${t.lead}</p>
    <form class="fields" onSubmit=${submit} novalidate>
      <div class="field wide"><label for="trial-url">${t.url}</label><input id="trial-url" name="url" inputmode="url" dir="auto" autocomplete="off" spellcheck=${false}
        defaultValue=${url} key=${url} placeholder=${texts.connections.endpoints.urlHint} aria-invalid=${Boolean(state.wrong)} aria-describedby="trial-wrong" />
        <p class="hint wrong" id="trial-wrong" role="alert">${state.wrong}</p></div>
      <div class="field"><label for="trial-token">${t.token}</label><input id="trial-token" name="token" type="password" autocomplete="off" maxlength="2048" /></div>
      <button class="button primary" type="submit" disabled=${state.busy}><${Icon} name="send" size=${16} /><span>${state.busy ? t.running : t.run}</span></button>
    </form>
    ${state.error && html`<${Problem} ...${explain(state.error)} />`}
    ${state.found && html`<${Diagnosis} ...${state} />`}</section>`;
}

function Diagnosis({ found, url }) {
  return html`<div class=${`diagnosis ${found.ok ? "good" : "bad"}`} role="group" aria-label=${t.result}>
    <p class="diagnosis-what"><${Icon} name=${found.ok ? "check" : "warning"} /><strong>${found.ok ? t.arrived : t.missed}</strong>${found.reason && html`<code class="chip">${found.reason}</code>`}</p>
    <p><${Foreign} text=${sentenceCase(found.message)} /></p>
    <ol class="steps">${stepsOf(found, url).map((step) => html`<li class=${step.state} key=${step.name}>
      <${Icon} name=${ICONS[step.state]} size=${15} /><span>${t.steps[step.name]}</span><span class="hint">${t.states[step.state]}</span></li>`)}</ol>
    <p class="hint">${t.took(duration(found.duration_ms))}${found.addresses.length > 0 && html`. ${t.addresses(found.addresses.join(", "))}`}</p>
    <p class="hint mono">${found.webhook_id}</p></div>`;
}
