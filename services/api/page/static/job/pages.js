/** The pages of a job: the text beside the picture, as they are finished. */
import { useEffect, useMemo, useState } from "preact/hooks";
import { Button, Empty } from "../parts/controls.js";
import { html } from "../parts/html.js";
import { ended } from "../state/shapes.js";
import { texts } from "../texts.js";
import { hasPictures, pagesOf } from "./results.js";

const t = texts.job.pages;
const WIDTH = 800; // pixels
const AGAIN_MS = 1500;
const LONGEST_MS = 10000;
const TRIES_AT_END = 3; // after the end of the job a picture that is not there will not come
const AT_ONCE = 25; // pages in the document at first; more follow by a button

/** With a `page`, this page is shown first of all: scrolled to, and marked. */
export function Pages({ followed, job, page: wanted }) {
  const offered = followed.pagesOffered.value;
  const live = followed.pages.value;
  const pages = useMemo(() => (live.length ? live : pagesOf(job)), [live, job.results]);
  const [shown, setShown] = useState(AT_ONCE);
  const at = wanted ? pages.findIndex((page) => page.page === wanted) : -1;
  useEffect(() => {
    if (at >= shown) setShown(at + 1);
    else if (at >= 0) document.getElementById(`page-${wanted}`).scrollIntoView();
  }, [at, wanted, at < shown]);
  if (!pages.length) return html`<${Empty} title=${texts.job.tabs.pages} text=${ended(job) ? t.absent : t.none} />`;
  const all = followed.pagesTotal.value || (job.progress && job.progress.pages);
  const withPictures = offered === true && hasPictures(job);
  return html`<p class="hint pages-sum">${t.done(pages.length, ended(job) ? pages.length : all)}</p>
    <ol class="pages">${pages.slice(0, shown).map((page) => html`<li key=${page.page} id=${`page-${page.page}`} class=${page.page === wanted ? "wanted" : undefined}>
      <${Page} page=${page} id=${job.job_id} picture=${withPictures} last=${ended(job)} /></li>`)}</ol>
    ${shown < pages.length && html`<p class="foot"><${Button} onClick=${() => setShown(shown + AT_ONCE)}>${t.more}<//></p>`}`;
}

function Page({ page, id, picture, last }) {
  return html`<article class=${picture ? "page-card with-picture" : "page-card"} aria-label=${t.page(page.page)}>
    ${picture && html`<${Picture} src=${`/api/jobs/${encodeURIComponent(id)}/pages/${page.page}/picture`} number=${page.page} last=${last} />`}
    <div class="page-text" tabindex="0"><h2>${t.page(page.page)}
      ${page.failed && html`<span class="wrong">${t.failed}</span>`}
      ${typeof page.score === "number" && html`<span class="hint">${t.score(Math.round(page.score * 100))}</span>`}</h2>
      ${page.text && page.text.trim() ? html`<pre class="plain-text" dir="auto">${page.text}</pre>` : html`<p class="hint">${t.empty}</p>`}
    </div></article>`;
}

/** The picture is drawn beside the text, before or after it: until it is there it is asked for again. */
function Picture({ src, number, last }) {
  const [tries, setTries] = useState(0);
  const [missing, setMissing] = useState(false);
  useEffect(() => {
    if (!missing) return undefined;
    const timer = setTimeout(() => {
      setTries(tries + 1);
      setMissing(false);
    }, Math.min(AGAIN_MS * (1 + tries), LONGEST_MS));
    return () => clearTimeout(timer);
  }, [missing]);
  const given = `${src}?width=${WIDTH + tries}`; // another address: a browser does not load the same one again
  const givenUp = last && tries > TRIES_AT_END;
  if (missing || givenUp) return html`<p class=${givenUp ? "page-picture waiting still" : "page-picture waiting"}>${givenUp ? t.noPicture : t.pictureFollows}</p>`;
  return html`<img class="page-picture" src=${given} alt=${t.picture(number)} loading="lazy" decoding="async" onError=${() => setMissing(true)} />`;
}
