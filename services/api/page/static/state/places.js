/** Fragments of the address to places, and back. Pure. */

/** Return `{name, …}` for a fragment. The name is `jobs`, `job`, `batches`, `batch`, `new`, `connections`, `system`, `sign-in` or `lost`. */
export function parseRoute(hash) {
  const signIn = /^#sign-in=([\w.~-]{1,512})$/.exec(hash);
  if (signIn) return { name: "sign-in", nonce: signIn[1] };
  const [path, query = ""] = hash.replace(/^#\/?/, "").split("?");
  const given = new URLSearchParams(query);
  const parts = path.split("/").filter(Boolean).map(decoded);
  if (parts.length === 0 || (parts.length === 1 && parts[0] === "jobs")) return { name: "jobs", filters: filtersOf(given) };
  if (parts.length === 2 && parts[0] === "jobs") return { name: "job", id: parts[1], tab: given.get("tab") || "" };
  if (parts.length === 1 && parts[0] === "batches") return { name: "batches" };
  if (parts.length === 2 && parts[0] === "batches") return { name: "batch", id: parts[1] };
  if (parts.length === 1 && parts[0] === "new") return { name: "new" };
  if (parts.length === 1 && parts[0] === "system") return { name: "system" };
  if (parts[0] === "connections" && (parts.length === 1 || (parts.length === 2 && ["keys", "limits"].includes(parts[1])))) {
    return { name: "connections", part: parts[1] || "webhooks" };
  }
  return { name: "lost" };
}

/** Return the fragment of a job, with one of its tabs. */
export function jobHash(id, tab = "") {
  const query = tab ? `?tab=${encodeURIComponent(tab)}` : "";
  return `#/jobs/${encodeURIComponent(id)}${query}`;
}

/** Return the fragment of a batch. */
export const batchHash = (id) => `#/batches/${encodeURIComponent(id)}`;

/** Return the fragment of the list with filters. */
export function jobsHash(filters = {}) {
  const given = Object.entries(filters).filter(([, value]) => value);
  return given.length ? `#/jobs?${new URLSearchParams(given)}` : "#/jobs";
}

function filtersOf(given) {
  return { status: given.get("status") || "", type: given.get("type") || "", text: given.get("text") || "" };
}

function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
