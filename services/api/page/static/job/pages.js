/** The pages of a job: the text beside the picture, as they are finished. */
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { Button, Empty } from "../parts/controls.js";
import { html } from "../parts/html.js";
import { ended } from "../state/shapes.js";
import { texts } from "../texts.js";
import { pagesOf } from "./results.js";

const t = texts.job.pages;
const AT_ONCE = 25; // pages in the document at first; more follow by a button

export function Pages({ followed, job }) {
  const offered = followed.pagesOffered.value;
  const live = followed.pages.value;
  const pages = useMemo(() => (live.length ? live : pagesOf(job)), [live, job.results]);
  const [shown, setShown] = useState(AT_ONCE);
  const [pictures, setPictures] = useState(true);
  if (!pages.length) return html`<${Empty} title=${texts.job.tabs.pages} text=${ended(job) ? t.absent : t.none} />`;
  const all = followed.pagesTotal.value || (job.progress && job.progress.pages);
  const withPictures = offered === true && pictures;
  return html`<p class="hint pages-sum">${t.done(pages.length, ended(job) ? pages.length : all)}</p>
    <ol class="pages">${pages.slice(0, shown).map((page) => html`<li key=${page.page}>
      <${Page} page=${page} id=${job.job_id} picture=${withPictures} onNoPicture=${() => setPictures(false)} /></li>`)}</ol>
    ${shown < pages.length && html`<p class="foot"><${Button} onClick=${() => setShown(shown + AT_ONCE)}>${t.more}<//></p>`}`;
}

function Page({ page, id, picture, onNoPicture }) {
  return html`<article class=${picture ? "page-card with-picture" : "page-card"} aria-label=${t.page(page.page)}>
    ${picture && html`<${Picture} src=${page.picture || `/api/jobs/${encodeURIComponent(id)}/pages/${page.page}/picture`} number=${page.page} onMissing=${onNoPicture} />`}
    <div class="page-text" tabindex=${picture ? 0 : undefined}><h2>${t.page(page.page)}
      ${page.failed && html`<span class="wrong">${t.failed}</span>`}
      ${typeof page.score === "number" && html`<span class="hint">${t.score(Math.round(page.score * 100))}</span>`}</h2>
      ${page.text && page.text.trim() ? html`<pre class="plain-text" dir="auto">${page.text}</pre>` : html`<p class="hint">${t.empty}</p>`}
    </div></article>`;
}

function Picture({ src, number, onMissing }) {
  const image = useRef(null);
  useEffect(() => {
    if (image.current.complete && image.current.naturalWidth === 0 && image.current.currentSrc) onMissing();
  }, []);
  return html`<img ref=${image} class="page-picture" src=${src} alt=${t.picture(number)} loading="lazy" decoding="async" onError=${onMissing} />`;
}
