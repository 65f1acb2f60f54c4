/** The place of short messages, and the live region that announces them. */
import { message } from "../state/announce.js";
import { dismiss, toasts } from "../state/toasts.js";
import { texts } from "../texts.js";
import { Foreign, IconButton } from "../parts/controls.js";
import { html } from "../parts/html.js";

export function Toaster() {
  return html`<div class="toasts" role="region" aria-label=${texts.toasts.label}>
    ${toasts.value.map((one) => html`<div key=${one.id} class=${`toast ${one.kind}`}>
      <p><${Foreign} text=${one.text} />${one.remedy && html`<span class="toast-remedy">${one.remedy}</span>`}</p>
      <${IconButton} icon="close" label=${texts.toasts.close} onClick=${() => dismiss(one.id)} />
    </div>`)}
  </div><p class="sr-only" role="status" aria-live="polite">${message.value}</p>`;
}
