/** The form of a new folder. */
import { useState } from "preact/hooks";
import { Button, Problem } from "../parts/controls.js";
import { Dialog } from "../parts/dialog.js";
import { html } from "../parts/html.js";
import { call, drawKey } from "../state/api.js";
import { explain } from "../state/errors.js";
import { folderHash } from "../state/places.js";
import { go } from "../state/route.js";
import { toast } from "../state/toasts.js";
import { texts } from "../texts.js";
import { folderOf } from "./rules.js";

const t = texts.folders;

export function NewFolder({ onClose }) {
  const [state, setState] = useState({ wrong: {} });
  const submit = async (event) => {
    event.preventDefault();
    const form = event.currentTarget;
    const { body, wrong } = folderOf(Object.fromEntries(new FormData(form)));
    if (!body) {
      form.elements.namedItem(Object.keys(wrong)[0]).focus();
      return setState({ wrong });
    }
    setState({ wrong, busy: true });
    try {
      const made = await call("POST", "/v1/folders", { body, headers: { "Idempotency-Key": drawKey() } });
      toast(t.created);
      onClose();
      go(folderHash(made.id));
    } catch (error) {
      setState({ wrong, error });
    }
  };
  return html`<${Dialog} title=${t.createTitle} onClose=${onClose}><form onSubmit=${submit} novalidate>
    <${Field} name="name" label=${t.name} wrong=${state.wrong.name} maxlength="500" autofocus />
    <${Field} name="description" label=${t.description} maxlength="4096" />
    <${Field} name="chunkSize" label=${t.chunk} hint=${t.chunkHint} wrong=${state.wrong.chunkSize} inputmode="numeric" maxlength="5" value="500" />
    ${state.error && html`<${Problem} ...${explain(state.error)} />`}
    <div class="dialog-actions"><${Button} onClick=${onClose}>${t.cancel}<//><button class="button primary" type="submit" disabled=${state.busy}>${t.make}</button></div></form><//>`;
}

function Field({ name, label, hint = "", wrong = "", ...rest }) {
  const id = `folder-${name}`;
  return html`<div class="field"><label for=${id}>${label}</label>
    <input id=${id} name=${name} dir="auto" autocomplete="off" aria-invalid=${Boolean(wrong)} aria-describedby=${`${id}-hint`} ...${rest} />
    <p class=${wrong ? "hint wrong" : "hint"} id=${`${id}-hint`}>${wrong || hint}</p></div>`;
}
