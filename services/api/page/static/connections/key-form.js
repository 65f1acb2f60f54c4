/** The form that makes an API key. */
import { useState } from "preact/hooks";
import { Problem } from "../parts/controls.js";
import { html } from "../parts/html.js";
import { session } from "../session/session.js";
import { call, drawKey } from "../state/api.js";
import { explain } from "../state/errors.js";
import { texts } from "../texts.js";
import { endOf } from "./key-states.js";

const t = texts.connections.keys;

/** `onMade` gets the new key as the API shows it once. */
export function KeyForm({ onMade }) {
  const [state, setState] = useState({});
  const submit = async (event) => {
    event.preventDefault();
    const form = event.currentTarget;
    const given = new FormData(form);
    const body = { owner: given.get("owner").trim(), scopes: given.getAll("scopes"), expires_at: endOf(Number(given.get("days")), Date.now()) };
    const wrong = { owner: body.owner ? "" : t.noOwner, scopes: body.scopes.length ? "" : t.noScope };
    if (wrong.owner || wrong.scopes) return setState({ wrong });
    setState({ busy: true });
    try {
      onMade(await call("POST", "/api/keys", { body, headers: { "Idempotency-Key": drawKey() } }));
      form.reset();
      setState({});
    } catch (error) {
      setState({ error });
    }
  };
  const wrong = state.wrong || {};
  return html`<form class="fields" onSubmit=${submit} novalidate aria-label=${t.make}>
    <div class="field"><label for="key-owner">${t.owner}</label><input id="key-owner" name="owner" dir="auto" autocomplete="off" spellcheck=${false} defaultValue=${session.value.owner}
      aria-invalid=${Boolean(wrong.owner)} aria-describedby="key-owner-hint" /><p class=${wrong.owner ? "hint wrong" : "hint"} id="key-owner-hint">${wrong.owner || t.ownerHint}</p></div>
    <div class="field"><label for="key-days">${t.expires}</label><select id="key-days" name="days">${Object.entries(t.terms).map(([days, text]) => html`<option value=${days}>${text}</option>`)}</select></div>
    <fieldset class="field wide" aria-describedby="key-scopes-wrong"><legend>${t.scopes}</legend>
      <div class="scopes">${Object.entries(t.scopeHints).map(([name, hint]) => html`<label class="check"><input type="checkbox" name="scopes" value=${name} />
        <span><strong>${name}</strong> <span class="hint">${hint}</span></span></label>`)}</div>
      <p class="hint wrong" id="key-scopes-wrong" role="alert">${wrong.scopes}</p></fieldset>
    <button class="button primary" type="submit" disabled=${state.busy}>${t.make}</button>
    ${state.error && html`<div class="wide"><${Problem} ...${explain(state.error)} /></div>`}</form>`;
}
