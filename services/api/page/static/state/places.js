/** Fragments of the address to places, and back. Pure. */

/** By the first part of a fragment: the place of the other parts and the query; without a place it is `lost`. */
const VIEWS = {
  __proto__: null,
  jobs: ([id], given) => (id ? jobPlace(id, given) : { name: "jobs", filters: filtersOf(given) }),
  batches: ([id]) => (id ? { name: "batch", id } : { name: "batches" }),
  documents: ([id]) => (id ? { name: "document", id } : { name: "documents" }),
  folders: ([id], given) => (id ? { name: "folder", id, query: given.get("q") || "" } : null),
  templates: ([id]) => (id ? { name: "template", id } : { name: "templates" }),
  system: ([id]) => (id ? null : { name: "system" }),
  new: ([id]) => (id ? null : { name: "new" }),
  connections: ([part]) => (!part || ["keys", "limits"].includes(part) ? { name: "connections", part: part || "webhooks" } : null),
};

/** Return `{name, …}` for a fragment: a place of VIEWS, `sign-in` or `lost`. */
export function parseRoute(hash) {
  const signIn = /^#sign-in=([\w.~-]{1,512})$/.exec(hash);
  if (signIn) return { name: "sign-in", nonce: signIn[1] };
  const [path, query = ""] = hash.replace(/^#\/?/, "").split("?");
  const [view = "jobs", ...rest] = path.split("/").filter(Boolean).map(decoded);
  const place = rest.length < 2 && VIEWS[view] && VIEWS[view](rest, new URLSearchParams(query));
  return place || { name: "lost" };
}

function jobPlace(id, given) {
  const page = Number(given.get("page"));
  return { name: "job", id, tab: given.get("tab") || "", ...(page > 0 ? { page } : {}) };
}

/** Return the fragment of a job, with one of its tabs. */
export function jobHash(id, tab = "") {
  const query = tab ? `?tab=${encodeURIComponent(tab)}` : "";
  return `#/jobs/${encodeURIComponent(id)}${query}`;
}

/** Return the fragment of a page of a job. */
export const pageHash = (id, page) => `${jobHash(id, "pages")}&page=${page}`;

/** Return the fragment of a document. */
export const documentHash = (id) => `#/documents/${encodeURIComponent(id)}`;

/** Return the fragment of a folder, with a text to search for. */
export const folderHash = (id, query = "") => `#/folders/${encodeURIComponent(id)}${query ? `?${new URLSearchParams({ q: query })}` : ""}`;

/** Return the fragment of a template. */
export const templateHash = (name) => `#/templates/${encodeURIComponent(name)}`;

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
