/** Where files are dropped or chosen. */
import { useRef } from "preact/hooks";
import { Button } from "../parts/controls.js";
import { html } from "../parts/html.js";
import { Icon } from "../parts/icons.js";
import { texts } from "../texts.js";
import { addFiles } from "./queue.js";

const t = texts.drop;

/** Files become jobs, or documents of a `folder`. */
export function Zone({ title = t.zone, hint = t.zoneHint, folder = "", className = "" }) {
  const field = useRef(null);
  const chosen = (event) => {
    addFiles([...event.currentTarget.files], folder);
    event.currentTarget.value = "";
  };
  return html`<div class=${`zone ${className}`}><${Icon} name="upload" size=${30} />
    <p class="zone-title">${title}</p><p class="hint">${hint}</p>
    <input ref=${field} type="file" multiple class="sr-only" id="files" tabindex="-1" aria-hidden="true" onChange=${chosen} />
    <${Button} kind="primary" icon="file" onClick=${() => field.current.click()}>${t.choose}<//></div>`;
}
