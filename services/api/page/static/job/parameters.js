/** The parameters of a job. */
import { Button, copy, Empty, Foreign } from "../parts/controls.js";
import { html } from "../parts/html.js";
import { toast } from "../state/toasts.js";
import { texts } from "../texts.js";

const t = texts.job.parameters;
const LONG = 400; // characters: a longer value may scroll, so the keyboard must reach it

export function Parameters({ job }) {
  if (!job.parameters) return html`<${Empty} title=${texts.job.tabs.parameters} text=${t.none} />`;
  const copied = async () => {
    const done = await copy(JSON.stringify(job.parameters, null, 2));
    toast(done ? texts.job.copied : texts.job.notCopied, done ? "plain" : "error");
  };
  return html`<dl class="pairs parameters">${Object.entries(job.parameters).map(([name, value]) => html`<div><dt class="mono">${name}</dt>
    <dd tabindex=${String(JSON.stringify(value)).length > LONG ? 0 : undefined}><${Foreign} text=${typeof value === "string" ? value : JSON.stringify(value, null, 2)} /></dd></div>`)}</dl>
    <${Button} icon="copy" onClick=${copied}>${t.copy}<//>`;
}
