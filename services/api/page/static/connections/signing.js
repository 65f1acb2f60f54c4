/** The signing keys of the owner, for admins (docs/contract/additions.md#signing-keys). */
import { useState } from "preact/hooks";
import { Button, IconButton } from "../parts/controls.js";
import { ask } from "../parts/dialog.js";
import { moment } from "../parts/formats.js";
import { html } from "../parts/html.js";
import { useWork } from "../parts/work.js";
import { call, drawKey } from "../state/api.js";
import { toast } from "../state/toasts.js";
import { texts } from "../texts.js";
import { Loaded, useLoaded } from "./loaded.js";
import { copied } from "./secret.js";

const t = texts.connections.signing;
const PATH = "/api/webhooks/signing-keys";

export function SigningKeys({ admin }) {
  return html`<section class="card part" aria-labelledby="signing-title"><h2 id="signing-title">${t.title}</h2>
    <p class="hint">${t.lead}</p>${admin ? html`<${Keys} />` : html`<p class="none">${t.admins}</p>`}</section>`;
}

function Keys() {
  const known = useLoaded(PATH);
  const [busy, doing] = useWork();
  const rotate = doing(async () => {
    await call("POST", `${PATH}/rotate`, { headers: { "Idempotency-Key": drawKey() } });
    toast(t.rotated);
    await known.read();
  });
  const end = (id) => doing(async () => {
    if (!(await ask({ ...t.confirm, no: texts.connections.keep }))) return;
    const left = await call("DELETE", `${PATH}/${encodeURIComponent(id)}`);
    toast(t.ended, "plain", left.warning || "");
    await known.read();
  });
  return html`<${Loaded} from=${known}>${({ keys }) => html`
    ${keys.length === 0 ? html`<p class="none">${t.none}</p>`
      : html`<ul class="things">${keys.map((one) => html`<${SigningKey} key=${one.id} one=${one} busy=${busy} onEnd=${end(one.id)} />`)}</ul>`}
    <div class="line"><${Button} icon="again" disabled=${busy} onClick=${rotate}>${t.rotate}<//></div>`}<//>`;
}

function SigningKey({ one, busy, onEnd }) {
  const [shown, setShown] = useState(false);
  return html`<li class="thing"><div><p class="thing-name mono">${one.id}</p>
      <p class="hint">${one.active_until ? t.until(moment(Date.parse(one.active_until))) : t.newest}</p>
      <dl class="pairs"><div><dt>${t.secret}</dt><dd class="line"><span class="mono">${shown ? one.secret : t.hidden}</span>
          <button type="button" class="button small plain" aria-expanded=${shown} onClick=${() => setShown(!shown)}>${shown ? t.hide : t.show}</button>
          <${IconButton} icon="copy" label=${t.copySecret} onClick=${() => copied(one.secret)} /></dd></div>
        <div><dt>${t.publicKey}</dt><dd class="line"><span class="mono">${one.public_key}</span>
          <${IconButton} icon="copy" label=${t.copyPublic} onClick=${() => copied(one.public_key)} /></dd></div></dl></div>
    <div class="line"><${Button} kind="quiet-danger" icon="stop" disabled=${busy} onClick=${onEnd}>${t.end}<//></div></li>`;
}
