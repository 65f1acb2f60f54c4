/**
 * The owner's stream of changes. EventSource connects again by itself with the id of the last event, so no change is
 * lost; when the server refuses that id, listeners are called to read everything again and a new stream begins.
 */
import { signal } from "@preact/signals-core";

/** `connecting`, `live`, or `broken` while the server does not answer. */
export const connection = signal("connecting");

const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 15000;
const PROBE_MS = 20000;
const HIDDEN_MS = 60000;

const listeners = { job: new Set(), batch: new Set(), reset: new Set() };
let source = null;
let timer = null;
let wait = FIRST_WAIT_MS;
let resting = false; // the stream was closed because nobody looks
let rest = null;

/** Call `listener` with each changed job (`job`) or batch (`batch`), or when all must be read again (`reset`). */
export function listen(name, listener) {
  listeners[name].add(listener);
  return () => listeners[name].delete(listener);
}

/** Open the stream. */
export function follow() {
  stop();
  source = new EventSource("/api/stream");
  source.addEventListener("open", opened);
  for (const name of ["job", "batch"]) {
    source.addEventListener(name, (event) => {
      const data = JSON.parse(event.data);
      for (const listener of listeners[name]) listener(data);
    });
  }
  source.onerror = failed;
}

/** Close the stream. */
export function stop() {
  clearTimeout(timer);
  timer = null;
  if (source) source.close();
  source = null;
  resting = false;
}

function opened(event) {
  const resumed = event.data ? JSON.parse(event.data).resumed : true;
  clearTimeout(timer);
  timer = null;
  connection.value = "live";
  wait = FIRST_WAIT_MS;
  if (!resumed) for (const listener of listeners.reset) listener();
}

function failed() {
  if (!source) return;
  if (source.readyState !== EventSource.CLOSED) {
    timer ??= setTimeout(() => {
      timer = null;
      if (source && source.readyState !== EventSource.OPEN) connection.value = "broken";
    }, FIRST_WAIT_MS); // a stream ends every five minutes and connects again at once: no banner for that
    return;
  }
  connection.value = "broken";
  stop();
  timer = setTimeout(follow, wait);
  wait = Math.min(wait * 2, LONGEST_WAIT_MS);
}

/** A connection that died silently delivers nothing: ask now and then whether the server can be reached. */
async function probe() {
  if (!source || document.hidden) return;
  const answers = await fetch("/api/health/live", { signal: AbortSignal.timeout(PROBE_MS / 2) }).then((answer) => answer.ok, () => false);
  if (!answers) connection.value = "broken";
  else if (connection.value === "broken") follow();
}

/** A browser opens six connections to a server at most: windows that are hidden for long give theirs back. */
function seenOrHidden() {
  clearTimeout(rest);
  if (!document.hidden) return resting ? follow() : undefined;
  rest = setTimeout(() => {
    if (!source) return;
    stop();
    resting = true;
  }, HIDDEN_MS);
}

setInterval(probe, PROBE_MS);
document.addEventListener("visibilitychange", seenOrHidden);
addEventListener("offline", () => source && (connection.value = "broken"));
addEventListener("online", () => source && follow());
