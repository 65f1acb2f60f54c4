/** The place in the page, as the fragment of the address: `#/jobs`, `#/jobs/{id}`, `#/new`. */
import { effect, signal } from "@preact/signals-core";
import { jobsHash, parseRoute } from "./places.js";

export const route = signal(parseRoute(location.hash));
/** The place before this one. */
export let former = null;

/** The fragment of the list with the filters that it had when it was last seen. */
export const listHash = signal(jobsHash());
effect(() => {
  if (route.value.name === "jobs") listHash.value = jobsHash(route.value.filters);
});

/** Go to a place, such as `#/new`. */
export function go(hash) {
  if (location.hash === hash) return;
  location.hash = hash;
}

/** Replace the place without a new entry of the history. */
export function replace(hash) {
  history.replaceState(null, "", `${location.pathname}${location.search}${hash}`);
  route.value = parseRoute(hash);
}

addEventListener("hashchange", () => {
  former = route.value;
  route.value = parseRoute(location.hash);
});
