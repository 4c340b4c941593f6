"use strict";
// The source of the function that made the present call, with its line lit.
//
// Sources come with the recording, so their authors are strangers as well: they are shown as text.

const sources = timeline.sources ?? {};
const listings = new Map(); // by text of `where`: the lines, each a list of [kind, text]

// A string, a comment, a number or a name. Each part ends at the end of the text at the latest, so
// that no text needs more than one pass.
const LONG = /"""[^]*?(?:"""|$)|'''[^]*?(?:'''|$)/;
const SHORT = /"(?:\\.|[^"\\\n])*"?|'(?:\\.|[^'\\\n])*'?/;
const TOKEN = new RegExp([
  new RegExp(`(?<string>[rbfuRBFU]{0,2}(?:${LONG.source}|${SHORT.source}))`),
  /(?<comment>#.*)/,
  /(?<number>\b\d[\w.]*)/,
  /(?<word>[A-Za-z_]\w*)/,
].map((part) => part.source).join("|"), "g");
const KEYWORDS = new Set(("and as assert async await break case class continue def del elif else "
  + "except finally for from global if import in is lambda match nonlocal not or pass raise return "
  + "try while with yield True False None self").split(" "));

// Cut a text into its lines, and each line into parts with a colour.
function listingOf(source) {
  const lines = [[]];
  const add = (kind, words) => words.split("\n").forEach((part, i) => {
    if (i) lines.push([]);
    if (part) lines.at(-1).push([kind, part]);
  });
  let end = 0;
  for (const { 0: token, index, groups } of source.matchAll(TOKEN)) {
    add("", source.slice(end, index));
    const kind = Object.keys(groups).find((name) => groups[name] !== undefined);
    add(kind !== "word" ? kind : KEYWORDS.has(token) ? "keyword" : "", token);
    end = index + token.length;
  }
  add("", source.slice(end));
  if (!lines.at(-1).length) lines.pop();
  return lines;
}

const codeBox = $("code");
const code = new VirtualList(codeBox, 1.2, codeRow);
let listing = []; // of the function that is shown
let firstLine = 1;
let shownSource; // its text

function codeRow(i) {
  const parts = listing[i].map(([kind, words]) =>
    (kind ? make("span", { className: kind, textContent: words }) : words));
  return make("div", { className: "line" },
    make("span", { className: "number", textContent: firstLine + i }),
    make("code", {}, ...parts));
}

function drawCode(place) {
  const { where, lit } = callerAt(place);
  const source = sources[where];
  const at = texts[where] ?? "";
  $("where").textContent = lit === undefined ? at : `${at}, line ${lit}`;
  codeBox.hidden = !source;
  $("sourceless").hidden = Boolean(source) || !at;
  if (!source) return;
  const isNew = source.text !== shownSource || source.first !== firstLine;
  if (isNew) {
    if (!listings.has(where)) listings.set(where, listingOf(source.text));
    listing = listings.get(where);
    [firstLine, shownSource] = [source.first, source.text];
    const longest = listing.reduce((most, parts) => Math.max(most, lengthOf(parts)), 0);
    code.content.style.minWidth = `${longest + 8}ch`;
  }
  const row = lit === undefined ? -1 : lit - firstLine;
  code.show(listing.length, listing[row] ? row : -1);
  if (isNew) codeBox.scrollTop = (row + 0.5) * code.pixels - codeBox.clientHeight / 2;
}

const lengthOf = (parts) => parts.reduce((sum, [, words]) => sum + words.length, 0);

// The function of a step, and its line. The recorder notes some steps that are no calls: they are
// shown in the function that called select().
function callerAt({ step, round }) {
  if (step.where !== undefined) return { where: step.where, lit: step.line };
  const { where, line, call } = steps[round.steps[0]];
  return { where, lit: call === "select" && step.call === "ready" ? line : undefined };
}
