/** Lists that are read in pages, and what makes them be read again. */
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { call, withQuery } from "../state/api.js";
import { listen } from "../state/stream.js";

const PAGE = 100;
const MOST = 1000; // rows in one answer of the API
const SETTLE_MS = 250; // changes within this time are read together

/** Return `{rows, complete, error, more, read}` of a path; `rows` is null before they were read. */
export function usePaged(path) {
  const [state, setState] = useState({ rows: null, complete: false });
  const known = useRef([]);
  const busy = useRef(false);
  const changed = useRef(false); // while it was being read
  const load = useCallback(async (offset, limit) => {
    if (busy.current) {
      changed.current ||= offset === 0;
      return;
    }
    busy.current = true;
    try {
      const page = await call("GET", withQuery(path, { limit, offset }));
      known.current = [...known.current.slice(0, offset), ...page];
      setState({ rows: known.current, complete: page.length < limit });
    } catch (error) {
      setState((old) => ({ ...old, error }));
    } finally {
      busy.current = false;
      if (changed.current) load(0, shown());
      changed.current = false;
    }
  }, [path]);
  const shown = () => Math.min(MOST, Math.max(PAGE, known.current.length));
  const read = useCallback(() => load(0, shown()), [load]);
  const more = useCallback(() => load(known.current.length, PAGE), [load]);
  useEffect(() => void read(), [read]);
  return { ...state, more, read };
}

/** Call `work` soon after changes of jobs about what `concerns` says yes to, a function of the target's id. */
export function useTargets(concerns, work) {
  const now = useRef({});
  now.current = { concerns, work };
  useEffect(() => {
    let timer = null;
    const soon = () => {
      timer ??= setTimeout(() => {
        timer = null;
        now.current.work();
      }, SETTLE_MS);
    };
    const stops = [listen("job", (job) => job.target_id && now.current.concerns(job.target_id) && soon()), listen("reset", soon)];
    return () => {
      clearTimeout(timer);
      for (const stop of stops) stop();
    };
  }, []);
}
