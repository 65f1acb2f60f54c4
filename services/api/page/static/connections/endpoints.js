/** The registered endpoints: list, register, test, delete (docs/contract/devana.md#endpoints). */
import { useState } from "preact/hooks";
import { Ago, Button, Foreign, Problem } from "../parts/controls.js";
import { ask } from "../parts/dialog.js";
import { html } from "../parts/html.js";
import { useWork } from "../parts/work.js";
import { call, drawKey } from "../state/api.js";
import { explain } from "../state/errors.js";
import { toast } from "../state/toasts.js";
import { texts } from "../texts.js";
import { isAddress, Loaded, useLoaded } from "./loaded.js";
import { ShownOnce } from "./secret.js";

const t = texts.connections.endpoints;
const NAMES = Object.keys(t.names);

export function Endpoints({ onDiagnose }) {
  const known = useLoaded("/v1/webhooks");
  const [secret, setSecret] = useState("");
  const made = (found) => {
    setSecret(found.secret);
    known.read();
  };
  return html`<section class="card part" aria-labelledby="endpoints-title"><h2 id="endpoints-title">${t.title}</h2>
    <p class="hint">${t.lead}</p>
    ${secret && html`<${ShownOnce} title=${texts.connections.once.endpoint} secret=${secret} onDone=${() => setSecret("")} />`}
    <${Loaded} from=${known}>${(found) => found.length === 0 ? html`<p class="none">${t.none}</p>`
      : html`<ul class="things">${found.map((one) => html`<${Endpoint} key=${one.id} one=${one} onDiagnose=${onDiagnose} read=${known.read} />`)}</ul>`}<//>
    <${Register} onMade=${made} /></section>`;
}

function Endpoint({ one, onDiagnose, read }) {
  const [busy, doing] = useWork();
  const path = `/v1/webhooks/${encodeURIComponent(one.id)}`;
  const send = doing(async () => {
    await call("POST", `${path}/test`);
    toast(t.sent);
  });
  const remove = doing(async () => {
    if (!(await ask({ ...t.confirm, no: texts.connections.keep }))) return;
    await call("DELETE", path);
    toast(t.removed);
    await read();
  });
  const statuses = one.statuses.length === NAMES.length ? t.all : one.statuses.map((name) => t.names[name] || name).join(", ");
  return html`<li class="thing"><div><p class="thing-name"><${Foreign} text=${one.url || one.id} /></p>
      <p class="hint">${statuses} · <${Ago} time=${one.createdAt} /></p></div>
    <div class="line"><${Button} icon="send" disabled=${busy} onClick=${send}>${t.send}<//>
      ${one.url && html`<${Button} icon="search" onClick=${() => onDiagnose(one.url)}>${t.diagnose}<//>`}
      <${Button} kind="quiet-danger" icon="trash" disabled=${busy} onClick=${remove}>${t.remove}<//></div></li>`;
}

function Register({ onMade }) {
  const [state, setState] = useState({});
  const submit = async (event) => {
    event.preventDefault();
    const form = event.currentTarget;
    const given = new FormData(form);
    const url = given.get("url").trim();
    if (!isAddress(url)) return setState({ wrong: t.badUrl });
    setState({ busy: true });
    const statuses = given.getAll("statuses");
    const body = { url, token: given.get("token") || undefined, statuses: statuses.length ? statuses : undefined };
    try {
      onMade(await call("POST", "/v1/webhooks", { body, headers: { "Idempotency-Key": drawKey() } }));
      toast(t.registered);
      form.reset();
      setState({});
    } catch (error) {
      setState({ error });
    }
  };
  return html`<form class="fields" onSubmit=${submit} novalidate>
    <div class="field wide"><label for="endpoint-url">${t.url}</label><input id="endpoint-url" name="url" inputmode="url" dir="auto" autocomplete="off" spellcheck=${false}
      maxlength="2048" placeholder=${t.urlHint} aria-invalid=${Boolean(state.wrong)} aria-describedby="endpoint-wrong" />
      <p class="hint wrong" id="endpoint-wrong" role="alert">${state.wrong}</p></div>
    <div class="field"><label for="endpoint-token">${t.token}</label><input id="endpoint-token" name="token" type="password" autocomplete="off" maxlength="2048" aria-describedby="endpoint-token-hint" />
      <p class="hint" id="endpoint-token-hint">${t.tokenHint}</p></div>
    <fieldset class="field wide" aria-describedby="statuses-hint"><legend>${t.statuses}</legend>
      <div class="checks">${NAMES.map((name) => html`<label class="check"><input type="checkbox" name="statuses" value=${name} /> ${t.names[name]}</label>`)}</div>
      <p class="hint" id="statuses-hint">${t.statusesHint}</p></fieldset>
    <button class="button primary" type="submit" disabled=${state.busy}>${t.register}</button>
    ${state.error && html`<div class="wide"><${Problem} ...${explain(state.error)} /></div>`}</form>`;
}
