/** The state of the installation, read every few seconds while the page is visible. */
import { signal } from "@preact/signals-core";
import { call } from "../state/api.js";

const EVERY_MS = 3000;

/** The last state; null before it was read. */
export const state = signal(null);
/** What the last request failed with; null after one that succeeded. */
export const problem = signal(null);

let reading = null;

/** Read the state, unless that is under way. */
export function read() {
  reading ||= attempt().finally(() => {
    reading = null;
  });
  return reading;
}

async function attempt() {
  try {
    state.value = await call("GET", "/api/system");
    problem.value = null;
  } catch (error) {
    problem.value = error;
  }
}

/** Keep the state up to date; return what ends that. A refused request is not repeated. */
export function watch() {
  const look = () => {
    if (!document.hidden && problem.value?.status !== 403) read();
  };
  state.value = null;
  problem.value = null;
  look();
  const timer = setInterval(look, EVERY_MS);
  document.addEventListener("visibilitychange", look);
  return () => {
    clearInterval(timer);
    document.removeEventListener("visibilitychange", look);
  };
}

/** Put a dead letter back, with the others of its key. Return how many records were put back. Raises ApiError. */
export async function redrive(id) {
  const done = await call("POST", `/api/system/dead-letters/${encodeURIComponent(id)}/redrive`);
  await reading; // it may have begun before
  await read();
  return done.put_back.length;
}
