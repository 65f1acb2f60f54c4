/** Small shared controls: buttons, times, texts of users, empty states. */
import { now } from "../state/clock.js";
import { ended } from "../state/shapes.js";
import { texts } from "../texts.js";
import { left, moment, relative } from "./formats.js";
import { html } from "./html.js";
import { Icon } from "./icons.js";

/** A text of a user or of the outside world: isolated in its direction, never markup, cut by the style sheet. */
export function Foreign({ text, className = "", title }) {
  return html`<bdi dir="auto" class=${`foreign ${className}`} title=${title}>${text}</bdi>`;
}

/** A time that keeps saying how long ago it was; the moment itself is its title. */
export function Ago({ time, className = "" }) {
  const value = Date.parse(time);
  if (Number.isNaN(value)) return null;
  return html`<time class=${className} datetime=${time} title=${moment(value)}>${relative(value, now.value)}</time>`;
}

/** How long a job or batch that has not ended will still take; nothing if that is not known. */
export function Left({ of, short = false }) {
  const ends = of.eta && !ended(of) && left(Date.parse(of.eta.time), now.value, short ? texts.times.leftShort : texts.times.left);
  return ends ? html`<span class="left">${ends}</span>` : null;
}

export function Button({ kind = "plain", icon, children, ...rest }) {
  return html`<button type="button" class=${`button ${kind}`} ...${rest}>${icon && html`<${Icon} name=${icon} size=${16} />`}<span>${children}</span></button>`;
}

/** A button with an icon alone; `label` is its name. */
export function IconButton({ icon, label, ...rest }) {
  return html`<button type="button" class="icon-button" aria-label=${label} title=${label} ...${rest}><${Icon} name=${icon} /></button>`;
}

/** What stands where there is nothing to show. */
export function Empty({ title, text, children }) {
  return html`<div class="empty"><h2>${title}</h2><p>${text}</p>${children}</div>`;
}

/** A message about what is wrong and what to do. */
export function Problem({ sentence, remedy, children }) {
  return html`<div class="problem" role="alert"><${Icon} name="warning" size=${20} />
    <div><p class="problem-what"><${Foreign} text=${sentence} /></p>${remedy && html`<p>${remedy}</p>`}${children}</div></div>`;
}

/** Put the focus on the content: what had it is gone. */
export function focusContent() {
  document.getElementById("content").focus({ preventScroll: true });
}

/** Copy a text to the clipboard; returns whether the browser allowed it. */
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}
