/** A plot as SVG with its axes, and beside it the same as a table. */
import { duration, moment, number } from "../parts/formats.js";
import { html } from "../parts/html.js";
import { texts } from "../texts.js";
import { axisEnd, HEIGHT, linePath, stackedBars, sums, ticks, WIDTH } from "./plots.js";

const t = texts.system.plots;
const ENDS = ["completed", "failed", "cancelled"];
const TIMES = ["p50_s", "p95_s"];
const TIME = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const shortTime = (at) => TIME.format(new Date(at));
const seconds = (value) => (value === null ? "–" : duration(value * 1000));

/** The plots of a span: how many jobs ended, and how long they took. */
export function Plots({ plot, span }) {
  const { points } = plot;
  const end = axisEnd(Math.max(...points.map((point) => ENDS.reduce((sum, name) => sum + point[name], 0))), 2);
  const slowest = axisEnd(Math.max(0, ...points.flatMap((point) => TIMES.map((name) => point[name] || 0))), 0.01);
  const total = sums(points, ENDS);
  return html`<div class="plots">
    <${Plot} title=${t.ended[span]} summary=${t.endedSummary(total)} names=${ENDS} points=${points} labels=${ticks(end).map((value) => number(value))} format=${number}>
      ${stackedBars(points, ENDS, end).map((bar) => html`<rect class=${`bar-${bar.name}`} x=${bar.x} y=${bar.y} width=${bar.width} height=${bar.height} />`)}<//>
    <${Plot} title=${t.took[span]} summary=${t.tookSummary(seconds(last(points, "p50_s")), seconds(last(points, "p95_s")))} names=${TIMES} points=${points} labels=${ticks(slowest).map(seconds)} format=${seconds}>
      ${TIMES.map((name) => html`<path class=${`line-${name}`} d=${linePath(points.map((point) => point[name]), slowest)} vector-effect="non-scaling-stroke" />`)}<//>
  </div>`;
}

const last = (points, name) => points.reduce((found, point) => point[name] ?? found, null);

/** The drawing is one image with a name; its numbers are in the table. */
function Plot({ title, summary, names, points, labels, format, children }) {
  return html`<figure class="plot"><figcaption><h3>${title}</h3><p class="hint">${summary}</p></figcaption>
    <ul class="legend">${names.map((name) => html`<li><span class=${`swatch ${name}`} aria-hidden="true"></span>${t.names[name]}</li>`)}</ul>
    <div class="plot-box"><div class="plot-y" aria-hidden="true">${labels.map((label) => html`<span>${label}</span>`)}</div>
      <svg viewBox=${`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label=${`${title}. ${summary}`}>
        ${[0, 0.5, 1].map((share) => html`<line class="grid" x1="0" x2=${WIDTH} y1=${share * HEIGHT} y2=${share * HEIGHT} vector-effect="non-scaling-stroke" />`)}${children}</svg>
      <div class="plot-x" aria-hidden="true">${[points[0], points[Math.floor(points.length / 2)], points[points.length - 1]].map((point) => html`<span>${shortTime(point.at)}</span>`)}</div></div>
    <details><summary>${t.table}</summary><div class="scrolled" tabindex="0" role="region" aria-label=${title}><table class="figures"><thead><tr><th scope="col">${t.from}</th>${names.map((name) => html`<th scope="col">${t.names[name]}</th>`)}</tr></thead>
      <tbody>${points.filter((point) => names.some((name) => point[name])).map((point) => html`<tr key=${point.at}><th scope="row"><time datetime=${point.at} title=${moment(point.at)}>${shortTime(point.at)}</time></th>${names.map((name) => html`<td>${format(point[name])}</td>`)}</tr>`)}</tbody></table></div></details></figure>`;
}
