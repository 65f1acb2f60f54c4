/** One passage that a search found: its text, and its place on the picture of its page if a job drew one. */
import { useEffect, useState } from "preact/hooks";
import { Foreign } from "../parts/controls.js";
import { html } from "../parts/html.js";
import { call, withQuery } from "../state/api.js";
import { documentHash, pageHash } from "../state/places.js";
import { texts } from "../texts.js";
import { markedParts } from "./rules.js";

const t = texts.folders.search;
const SENT = 2000; // characters of a passage: enough to find its place
const WIDTH = 800; // pixels

export function Hit({ hit, query }) {
  const place = usePlace(hit);
  const name = hit.name || hit.documentId;
  return html`<article class=${place.picture ? "hit with-picture" : "hit"}>
    <div class="hit-text"><p class="hit-head"><a href=${documentHash(hit.documentId)}><${Foreign} text=${name} title=${name.slice(0, 300)} /></a>
        ${place.page && html`<a class="hit-page" href=${pageHash(hit.jobId, place.page)}>${t.page(place.page)}</a>`}
        <span class="hint number">${t.score(hit.score.toFixed(2))}</span></p>
      <p class="passage" dir="auto" tabindex="0">${markedParts(hit.text, query).map((part) => (part.marked ? html`<mark>${part.text}</mark>` : part.text))}</p>
      ${place.picture && !place.boxes.length && html`<p class="hint">${t.noBoxes}</p>`}
      ${!hit.jobId && html`<p class="hint">${t.gone}</p>`}</div>
    ${place.picture && html`<${Picture} id=${hit.jobId} place=${place} />`}</article>`;
}

/** The page of a hit, `{page, picture, boxes}`; empty before it is known, and of a document without pages. */
function usePlace({ jobId, text }) {
  const [place, setPlace] = useState({});
  useEffect(() => {
    if (!jobId) return undefined;
    let current = true;
    const path = withQuery(`/api/jobs/${encodeURIComponent(jobId)}/pages/passage`, { text: text.slice(0, SENT) });
    call("GET", path).then((found) => current && setPlace(found), () => {}); // a hit without its page is still a hit
    return () => (current = false);
  }, [jobId, text]);
  return place;
}

function Picture({ id, place: { page, boxes } }) {
  const src = `/api/jobs/${encodeURIComponent(id)}/pages/${page}/picture?width=${WIDTH}`;
  return html`<a class="hit-picture" href=${pageHash(id, page)}><img src=${src} alt=${boxes.length ? t.picture(page) : t.plainPicture(page)} loading="lazy" decoding="async" />
    <svg viewBox="0 0 1 1" preserveAspectRatio="none" aria-hidden="true" focusable="false">${boxes.map(([left, top, right, bottom]) => html`<rect x=${left} y=${top} width=${right - left} height=${bottom - top} />`)}</svg></a>`;
}
