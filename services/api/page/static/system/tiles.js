/** What an administrator looks at first, as tiles. */
import { html } from "../parts/html.js";
import { texts } from "../texts.js";
import { tilesOf } from "./figures.js";

const t = texts.system.tiles;

export function Tiles({ found, now }) {
  return html`<dl class="tiles" aria-label=${t.label}>${tilesOf(found, now).map((one) => html`<div class=${`tile ${one.level}`} key=${one.name} data-tile=${one.name}>
    <dt>${t.names[one.name]}</dt><dd><span class="tile-value">${one.value}</span><span class="hint">${one.hint}</span></dd></div>`)}</dl>`;
}
