/** Markdown as nodes that are safe to show. Its two libraries are loaded when the first text needs them. */

const FORBIDDEN = ["style", "form", "input", "button", "textarea", "select", "option", "iframe", "object", "embed", "video", "audio", "source", "svg", "math", "dialog", "template", "slot"];
let loading = null;

/** Return a fragment of the Markdown of a text: without scripts, forms, styles, ids and foreign pictures. */
export async function rendered(text) {
  const { marked, purify } = await (loading ??= load());
  const markup = marked(withoutFrontMatter(text));
  return purify.sanitize(markup, {
    USE_PROFILES: { html: true },
    FORBID_TAGS: FORBIDDEN,
    FORBID_ATTR: ["style", "class", "id", "name", "srcset"],
    ALLOW_DATA_ATTR: false,
    RETURN_DOM_FRAGMENT: true,
  });
}

/** The front matter of a filled template is data: as Markdown it would be a heading. */
function withoutFrontMatter(text) {
  return text.replace(/^---\r?\n[\s\S]*?\r?\n---[ \t]*(\r?\n|$)/, "");
}

async function load() {
  const [{ Marked }, { default: purify }] = await Promise.all([import("../vendor/marked.js"), import("../vendor/purify.js")]);
  purify.addHook("afterSanitizeAttributes", settle);
  const parser = new Marked({ gfm: true, async: false, renderer: { html: shownAsText } });
  return { marked: (text) => parser.parse(text), purify };
}

/** Markup in a Markdown text is shown as it is written; only line breaks, which tables need, are kept. */
function shownAsText({ text }) {
  return /^<br\s*\/?>$/i.test(text.trim()) ? "<br>" : text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);
}

function settle(node) {
  if (node.tagName === "A") {
    node.setAttribute("target", "_blank");
    node.setAttribute("rel", "noopener noreferrer nofollow");
  }
  if (node.tagName === "IMG" && !/^data:image\//.test(node.getAttribute("src") || "")) {
    node.replaceWith(document.createTextNode(node.getAttribute("alt") || ""));
  }
  if (/^(P|LI|H[1-6]|TD|TH|BLOCKQUOTE|PRE)$/.test(node.tagName)) node.setAttribute("dir", "auto");
}
