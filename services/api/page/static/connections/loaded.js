/** What a section reads from the API when it is shown, and again after a change. */
import { useCallback, useEffect, useState } from "preact/hooks";
import { Button, Problem } from "../parts/controls.js";
import { html } from "../parts/html.js";
import { call } from "../state/api.js";
import { explain } from "../state/errors.js";
import { texts } from "../texts.js";

const t = texts.connections;

/** Return `{data, error, read}` of a path. Data that was read stays while it is read again. */
export function useLoaded(path) {
  const [state, setState] = useState({});
  const read = useCallback(async () => {
    try {
      const data = await call("GET", path);
      setState({ data });
    } catch (error) {
      setState((old) => ({ ...old, error }));
    }
  }, [path]);
  useEffect(() => {
    read();
  }, [read]);
  return { ...state, read };
}

/** Show what was read by `children`, a function of the data; else why it is not there. */
export function Loaded({ from, children }) {
  if (from.error && !from.data) {
    return html`<${Problem} ...${explain(from.error)}>${from.error.status !== 403 && html`<${Button} icon="again" onClick=${from.read}>${t.retry}<//>`}<//>`;
  }
  return from.data ? children(from.data) : html`<p class="hint" role="status">${t.loading}</p>`;
}

/** Whether a text looks like the address of a receiver. */
export const isAddress = (text) => /^https?:\/\/[^\s/]\S*$/i.test(text);
