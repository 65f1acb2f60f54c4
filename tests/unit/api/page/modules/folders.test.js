/** The pure rules of folders, and the places of documents, folders and templates. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { folderOf, markedParts, outdated } from "./static/folders/rules.js";
import { documentHash, folderHash, jobHash, pageHash, parseRoute, templateHash } from "./static/state/places.js";

const marked = (text, query) => markedParts(text, query).filter((part) => part.marked).map((part) => part.text);

test("a form becomes a folder, or sentences about its fields", () => {
  assert.deepEqual(folderOf({ name: " House ", description: " ", chunkSize: "500" }), { body: { name: "House", chunkSize: 500 }, wrong: {} });
  assert.equal(folderOf({ name: "a", description: "b", chunkSize: "50" }).body.description, "b");
  for (const chunkSize of ["", "49", "8001", "1e3", "-100", "5.5", "99999999"]) {
    const { body, wrong } = folderOf({ name: "a", chunkSize });
    assert.equal(body, null);
    assert.ok(wrong.chunkSize);
  }
  assert.ok(folderOf({ name: "  ", chunkSize: "500" }).wrong.name);
});

test("words that begin with a word of the query are marked, in any script and case", () => {
  assert.deepEqual(marked("The heat pumps, a Heater; unheated. Ein GRÖSSERES Haus, größer", "heat größer"), ["heat", "Heater", "größer"]);
  assert.deepEqual(marked("שלום עולם", "שלום"), ["שלום"]);
  assert.deepEqual(marked("pump (pump) [pump]", "pump)(.*"), ["pump", "pump", "pump"]);
  assert.deepEqual(marked("the cat and the heater", "the cat, heat"), ["heater"]);
  assert.deepEqual(marked("an ox is at it", "an ox is a"), ["an", "ox", "is"]);
});

test("the parts of a hit are its text, whatever the query", () => {
  for (const query of ["", "...", "pump", "(", "\\", "a".repeat(2000), "the the"]) {
    for (const text of ["", "the pump", "word".repeat(2500), "<script>"]) {
      assert.equal(markedParts(text, query).map((part) => part.text).join(""), text);
    }
  }
});

test("an index is outdated once a file that was read is not in it", () => {
  const results = { structured_data: { documents: [{ document_id: "a" }] } };
  assert.equal(outdated([{ id: "a", status: "DONE" }, { id: "b", status: "PENDING" }], results), false);
  assert.equal(outdated([{ id: "b", status: "DONE" }], results), true);
  assert.equal(outdated([], null), false);
});

test("places of documents, folders, templates and pages lead there and back", () => {
  assert.deepEqual(parseRoute("#/documents"), { name: "documents" });
  assert.deepEqual(parseRoute(documentHash("doc-1")), { name: "document", id: "doc-1" });
  assert.deepEqual(parseRoute(folderHash("folder-1", "a b&c=d")), { name: "folder", id: "folder-1", query: "a b&c=d" });
  assert.deepEqual(parseRoute(folderHash("folder-1")), { name: "folder", id: "folder-1", query: "" });
  assert.deepEqual(parseRoute(templateHash("../x?y")), { name: "template", id: "../x?y" });
  assert.deepEqual(parseRoute(pageHash("job-1", 7)), { name: "job", id: "job-1", tab: "pages", page: 7 });
  assert.deepEqual(parseRoute(`${jobHash("job-1", "pages")}&page=x`), { name: "job", id: "job-1", tab: "pages" });
  for (const lost of ["#/folders", "#/new/x", "#/connections/x", "#/constructor", "#/documents/a/b"]) assert.equal(parseRoute(lost).name, "lost");
});
