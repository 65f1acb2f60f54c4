/** The steps of a webhook that was tried, from its diagnosis (docs/contract/additions.md#trials). Pure. */

const STOPS = {
  NAME_NOT_FOUND: "name",
  BLOCKED_ADDRESS: "address",
  CONNECTION: "connection",
  TLS: "tls",
  TIMEOUT: "answer",
  UNREADABLE: "answer",
  HTTP_STATUS: "accepted",
};

/** Return `[{name, state}]` in their order; a state is `done`, `wrong`, `open`, or `unknown` for a reason that is new. */
export function stepsOf(found, url) {
  const secure = /^https:/i.test(url);
  const names = ["name", "address", "connection", ...(secure ? ["tls"] : []), "answer", "accepted"];
  if (found.ok) return names.map((name) => ({ name, state: "done" }));
  const stop = names.indexOf(stopOf(found));
  if (stop < 0) return names.map((name) => ({ name, state: "unknown" }));
  return names.map((name, index) => ({ name, state: index < stop ? "done" : index === stop ? "wrong" : "open" }));
}

/** Where it stopped. A name that did not resolve in time has no addresses. */
function stopOf(found) {
  return found.reason === "TIMEOUT" && !found.addresses.length ? "name" : STOPS[found.reason];
}
