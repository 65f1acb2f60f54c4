/** What a folder's form becomes, whether its index is up to date, and which words of a hit are marked. Pure. */
import { texts } from "../texts.js";

const LONG = 4; // letters: shorter words are marked only if the query has no longer one
const SHORTEST = 2;
const SMALLEST = 50;
const LARGEST = 8000;

/** Return `{body, wrong}` of a form: sentences about wrong fields by their names, and no body if there are any. */
export function folderOf({ name, description = "", chunkSize }) {
  const wrong = {};
  const size = /^\d{1,5}$/.test(chunkSize.trim()) ? Number(chunkSize) : 0;
  if (!name.trim()) wrong.name = texts.folders.noName;
  if (size < SMALLEST || size > LARGEST) wrong.chunkSize = texts.folders.badChunk;
  if (Object.keys(wrong).length) return { body: null, wrong };
  return { body: { name: name.trim(), chunkSize: size, ...(description.trim() ? { description: description.trim() } : {}) }, wrong };
}

/** Whether a file that was read is not in an index, given the result of the job that made it. */
export function outdated(files, results) {
  const data = (results && results.structured_data) || {};
  const indexed = new Set((data.documents || []).map((one) => one.document_id));
  return files.some((file) => file.status === "DONE" && !indexed.has(file.id));
}

/** Return `[{text, marked}]`: a hit in parts, of which those are marked that begin with a word of the query. */
export function markedParts(text, query) {
  const all = [...new Set(query.match(/[\p{L}\p{N}]+/gu) || [])];
  const long = all.filter((word) => word.length >= LONG);
  const words = long.length ? long : all.filter((word) => word.length >= SHORTEST);
  if (!words.length) return [{ text, marked: false }];
  const pattern = new RegExp(`(?<![\\p{L}\\p{N}])((?:${words.join("|")})[\\p{L}\\p{N}]*)`, "giu");
  return text.split(pattern).map((part, at) => ({ text: part, marked: at % 2 === 1 })).filter((part) => part.text);
}
