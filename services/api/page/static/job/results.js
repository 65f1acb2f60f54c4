/** What a job's results hold that can be shown: texts, fields, tables and files. Pure. */
import { texts } from "../texts.js";

const t = texts.job.result;
const TEXTS = ["transformed_text", "markdown_content", "extracted_text", "ocr_text", "text", "transcript", "video_transcript", "web_text"];
const MARKDOWN_METHODS = /mistral|llm/;
const FEW_COLUMNS = 8;

/** Return `[{name, title, text, markdown}]`: the texts of the results, the most finished first. */
export function textsOf(job) {
  const results = job.results || {};
  const data = results.structured_data || {};
  const found = [];
  for (const name of TEXTS) {
    const text = typeof data[name] === "string" ? data[name] : results[name];
    if (typeof text !== "string" || !text.trim() || found.some((one) => one.text === text)) continue;
    found.push({ name, title: titleOf(name), text, markdown: isMarkdown(name, job, data) });
  }
  return found;
}

function titleOf(name) {
  return { transformed_text: t.filled, markdown_content: t.markdown, ocr_text: t.ocr }[name] || t.text;
}

function isMarkdown(name, job, data) {
  if (name === "transformed_text" || name === "markdown_content") return true;
  const method = (data.metadata && data.metadata.extraction_method) || (job.parameters && job.parameters.extraction_method) || "";
  return name === "extracted_text" && (job.job_type === "extraction" || MARKDOWN_METHODS.test(method));
}

/** Return `[{title, columns, rows}]`: the fields of a template, and lists of objects, as tables of texts. */
export function tablesOf(job) {
  const data = (job.results || {}).structured_data || {};
  const tables = [];
  if (plainObject(data.template_fields)) {
    tables.push({ title: t.fields, columns: [t.field, t.value], rows: Object.entries(data.template_fields).map(([key, value]) => [key, cell(value)]) });
  }
  for (const [name, value] of Object.entries(data)) {
    if (Array.isArray(value) && value.length && value.every(plainObject)) tables.push(tableOf(name, value));
  }
  return tables;
}

function tableOf(name, objects) {
  const columns = [...new Set(objects.flatMap(Object.keys))].slice(0, FEW_COLUMNS);
  return { title: name, columns, rows: objects.map((one) => columns.map((column) => cell(one[column]))) };
}

/** Return the pages of a result: `[{page, text, score}]`; empty for one without pages. */
export function pagesOf(job) {
  const data = (job.results || {}).structured_data || {};
  const contents = data.metadata && data.metadata.text_contents;
  if (Array.isArray(contents) && contents.length) {
    return contents.map((one) => ({ page: one.page, text: one.text ?? one.content ?? "", score: one.score }));
  }
  const parts = String(data.extracted_text || "").split(/^--- Seite (\d+) ---$/m);
  const pages = [];
  for (let at = 1; at < parts.length; at += 2) pages.push({ page: Number(parts[at]), text: parts[at + 1].trim() });
  return pages;
}

/** Whether a job draws pictures of its pages; once it has a result, whether it drew any. */
export function hasPictures(job) {
  const { metadata } = (job.results || {}).structured_data || {};
  if (metadata) return [metadata.image_paths, metadata.preview_paths].some((paths) => Array.isArray(paths) && paths.length > 0);
  const { include_images: images, extraction_method: method = "" } = job.parameters || {};
  return images === true || (job.job_type === "pdf" && method.startsWith("preview"));
}

/** Return `[{name, url}]`: the files that the job wrote. */
export function filesOf(job) {
  const urls = (job.results && job.results.asset_urls) || [];
  return urls.filter(Boolean).map((url) => ({ url, name: named(url.slice(url.indexOf("/files/") + 7)) }));
}

/** Return the notes of a result: warnings, and pages that are missing. */
export function warningsOf(job) {
  const metadata = ((job.results || {}).structured_data || {}).metadata || {};
  return Array.isArray(metadata.warnings) ? metadata.warnings.map(String) : [];
}

/** Return the number of words of a text. */
export function wordsOf(text) {
  let words = 0;
  for (const _ of text.matchAll(/\S+/g)) words += 1;
  return words;
}

function plainObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function cell(value) {
  if (value === null || value === undefined) return "";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

function named(path) {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
