/** The list of jobs with its filters, its search and the owner's numbers. */
import { useEffect, useLayoutEffect, useState } from "preact/hooks";
import { Button, Empty, Problem } from "../parts/controls.js";
import { html } from "../parts/html.js";
import { Icon } from "../parts/icons.js";
import { VirtualList } from "../parts/virtual.js";
import { explain } from "../state/errors.js";
import { jobsHash } from "../state/places.js";
import { former, go, replace } from "../state/route.js";
import { texts } from "../texts.js";
import { Filters } from "./filters.js";
import { JobRow } from "./row.js";
import { again, counted, more, open, phase, problem, shown, version } from "./store.js";

const t = texts.jobs;
const WIDE = matchMedia("(min-width: 860px)");
const WIDE_ROW = 48;
const NARROW_ROW = 76;
const FRAMES = 10;

export function JobsView({ filters }) {
  const rowHeight = useRowHeight();
  useEffect(() => open(filters), [filters.status, filters.type, filters.text]);
  useLayoutEffect(returnToRow, []);
  const listing = shown();
  version.value; // drawn again with each change
  const ids = listing.order;
  const change = (changed) => (changed.text === undefined ? go : replace)(jobsHash({ ...filters, ...changed }));
  return html`<header class="head">
      <h1>${t.title}</h1>
      <${Search} text=${filters.text} onChange=${(text) => change({ text })} />
      <a class="button primary" href="#/new"><${Icon} name="plus" size=${16} /><span>${texts.nav.new}</span></a>
    </header>
    <${Filters} filters=${filters} onChange=${change} />
    ${ids.length > 0 && html`<div class="row columns" aria-hidden="true">
        <span>${t.columns.status}</span><span>${t.columns.name}</span><span class="row-type">${t.columns.type}</span>
        <span>${t.columns.progress}</span><span class="row-age">${t.columns.age}</span></div>
      <${VirtualList} count=${ids.length} rowHeight=${rowHeight} label=${t.list} keyOf=${(index) => ids[index]}
        row=${(index) => rowOf(listing.jobs.get(ids[index]))} onEnd=${more}
        total=${totalOf(filters, ids, listing)} />`}
    <${Foot} filters=${filters} listing=${listing} found=${ids.length} />`;
}

/** A job may have left the list since the ids were taken: the next frame has the new ones. */
function rowOf(job) {
  return job ? html`<${JobRow} job=${job} />` : null;
}

let seenAt = 0; // how far the list was scrolled when it was left

/** Show the list where it was left, with the focus on the job that was looked at. */
function returnToRow() {
  if (former && former.name === "job") {
    scrollTo(0, seenAt);
    focusRow(former.id, FRAMES);
  }
  const scrolled = () => {
    seenAt = scrollY;
  };
  addEventListener("scroll", scrolled, { passive: true });
  return () => removeEventListener("scroll", scrolled);
}

/** The rows in sight are known some frames after the list is drawn. */
function focusRow(id, frames) {
  const row = document.querySelector(`[data-job="${CSS.escape(id)}"]`);
  if (row) row.focus({ preventScroll: true });
  else if (frames) requestAnimationFrame(() => focusRow(id, frames - 1));
}

function totalOf(filters, ids, listing) {
  return listing.complete ? ids.length : Math.max(ids.length, counted(filters) || 0);
}

function Foot({ filters, listing, found }) {
  if (phase.value === "failed") {
    return html`<${Problem} ...${explain(problem.value)}><${Button} icon="again" onClick=${again}>${t.retry}<//><//>`;
  }
  if (phase.value === "loading" && !listing.order.length) return html`<${Skeleton} />`;
  if (filters.text) return html`<${SearchFoot} filters=${filters} listing=${listing} found=${found} />`;
  if (!listing.complete) return html`<p class="foot">${t.more}</p>`;
  if (found) return html`<p class="foot">${t.end(found)}</p>`;
  const filtered = filters.status || filters.type;
  const empty = filtered ? t.none : t.empty;
  return html`<${Empty} title=${empty.title} text=${empty.text}>
    <a class="button primary" href=${filtered ? "#/jobs" : "#/new"}>${empty.action}</a><//>`;
}

function SearchFoot({ filters, listing, found }) {
  const all = listing.complete ? found : counted(filters);
  return html`<div class="foot">
    ${listing.complete && !found && html`<${Empty} title=${t.none.title} text=${t.notFound} />`}
    <p role="status">${all === undefined ? t.more : t.found(all)}</p>
    ${(!listing.complete || found > 0) && html`<p>${t.searched}</p>`}
  </div>`;
}

function Skeleton() {
  return html`<div class="skeleton" role="status"><span class="sr-only">${t.loading}</span>
    ${Array.from({ length: 8 }, () => html`<div class="skeleton-row" aria-hidden="true"></div>`)}</div>`;
}

function Search({ text, onChange }) {
  const [typed, setTyped] = useState(text);
  useEffect(() => setTyped(text), [text]);
  useEffect(() => {
    if (typed === text) return undefined;
    const timer = setTimeout(() => submit(typed, onChange), 200);
    return () => clearTimeout(timer);
  }, [typed]);
  return html`<div class="search" role="search"><${Icon} name="search" size=${16} />
    <input id="search" type="search" dir="auto" aria-label=${t.search} placeholder=${t.searchHint} value=${typed} maxlength="200"
      onInput=${(event) => setTyped(event.currentTarget.value)}
      onKeyDown=${(event) => event.key === "Escape" && (setTyped(""), event.currentTarget.blur())} /><kbd aria-hidden="true">/</kbd></div>`;
}

function submit(typed, onChange) {
  const id = typed.trim();
  if (/^job-[0-9a-f-]{36}$/.test(id)) go(`#/jobs/${id}`);
  else onChange(id);
}

/** The height of a job's row in pixels at the present width. */
export function useRowHeight() {
  const [wide, setWide] = useState(WIDE.matches);
  useEffect(() => {
    const changed = () => setWide(WIDE.matches);
    WIDE.addEventListener("change", changed);
    return () => WIDE.removeEventListener("change", changed);
  }, []);
  return wide ? WIDE_ROW : NARROW_ROW;
}
