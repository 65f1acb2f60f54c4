/** Secrets: shown once after they are made, and copied. They are kept in the component alone. */
import { useEffect, useRef } from "preact/hooks";
import { Button, copy } from "../parts/controls.js";
import { html } from "../parts/html.js";
import { Icon } from "../parts/icons.js";
import { toast } from "../state/toasts.js";
import { texts } from "../texts.js";

const t = texts.connections;

/** Copy a text and report it. */
export async function copied(text) {
  const done = await copy(text);
  toast(done ? t.copied : t.notCopied, done ? "plain" : "error");
}

/** A new secret with a warning; it has the focus, and stays until it is put away. */
export function ShownOnce({ title, secret, onDone }) {
  const box = useRef(null);
  useEffect(() => box.current.focus(), [secret]);
  return html`<section class="once" ref=${box} tabindex="-1" aria-label=${title}>
    <h3><${Icon} name="warning" size=${16} /> ${title}</h3>
    <p>${t.once.hint}</p>
    <p class="secret mono" data-secret>${secret}</p>
    <div class="line"><${Button} kind="primary" icon="copy" onClick=${() => copied(secret)}>${t.copy}<//>
      <${Button} icon="check" onClick=${onDone}>${t.once.done}<//></div></section>`;
}
