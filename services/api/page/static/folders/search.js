/** The search of a folder by meaning. */
import { useEffect, useState } from "preact/hooks";
import { Problem } from "../parts/controls.js";
import { html } from "../parts/html.js";
import { Icon } from "../parts/icons.js";
import { call, withQuery } from "../state/api.js";
import { explain } from "../state/errors.js";
import { folderHash } from "../state/places.js";
import { replace } from "../state/route.js";
import { texts } from "../texts.js";
import { Hit } from "./hit.js";

const t = texts.folders.search;
const HITS = 10;

export function Search({ id, query }) {
  const [state, setState] = useState({});
  const [turn, setTurn] = useState(0); // the same query again: the index may be another one
  useEffect(() => {
    if (!query) return setState({});
    let current = true;
    setState({ busy: true });
    call("GET", withQuery(`/v1/folders/${encodeURIComponent(id)}/search`, { q: query, limit: HITS })).then(
      (hits) => current && setState({ hits }),
      (error) => current && setState({ error }),
    );
    return () => (current = false);
  }, [id, query, turn]);
  const submit = (event) => {
    event.preventDefault();
    setTurn(turn + 1);
    replace(folderHash(id, event.currentTarget.elements.namedItem("q").value.trim()));
  };
  return html`<section class="folder-search" aria-labelledby="search-title"><h2 id="search-title">${t.title}</h2>
    <form class="joined" role="search" onSubmit=${submit}><input id="search" name="q" type="search" dir="auto" maxlength="2000" autocomplete="off" defaultValue=${query}
      aria-label=${t.label} aria-describedby="search-hint" /><button class="button primary" type="submit"><${Icon} name="search" size=${16} /><span>${t.go}</span></button></form>
    <p class="hint" id="search-hint">${t.hint}</p>
    <${Found} ...${state} query=${query} /></section>`;
}

function Found({ busy, error, hits, query }) {
  if (error) return html`<${Problem} sentence=${error.status === 409 ? t.noIndex : explain(error).sentence} remedy=${error.status === 409 ? "" : explain(error).remedy} />`;
  if (busy) return html`<p class="hint" role="status">${t.busy}</p>`;
  if (!hits) return null;
  return html`<p class="hint" role="status">${hits.length ? t.found(hits.length) : t.none}</p>
    <ol class="hits" aria-label=${t.hits}>${hits.map((hit) => html`<li key=${`${hit.documentId}/${hit.chunk}`}><${Hit} hit=${hit} query=${query} /></li>`)}</ol>`;
}
