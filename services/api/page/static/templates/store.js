/** The templates of this server, and the texts that were changed here. */
import { effect, signal } from "@preact/signals-core";
import { call } from "../state/api.js";
import { session } from "../session/session.js";

/** `[{name, origin, content, fields, problem}]`; null before they were read. */
export const templates = signal(null);
/** What the last request failed with; null after one that succeeded. */
export const problem = signal(null);
/** Changed texts by the name of their template. They are kept while the page is open, and nowhere else. */
export const drafts = signal({});

/** Read the templates. */
export async function readTemplates() {
  try {
    templates.value = (await call("GET", "/api/templates")).templates;
    problem.value = null;
  } catch (error) {
    problem.value = error;
  }
}

/** Keep the changed text of a template; the text that it has is no change. */
export function draft({ name, content }, text) {
  const { [name]: _, ...others } = drafts.value;
  drafts.value = text === content ? others : { ...others, [name]: text };
}

effect(() => {
  if (session.value !== null) return;
  templates.value = null; // another owner may sign in next
  drafts.value = {};
});
