"use strict";
// Elements, words and bytes. All of it goes into the page as text, never as HTML: peers wrote some
// of it.

const $ = (id) => document.getElementById(id);

// Make an element with its properties and its children.
function make(tag, properties, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

const text = (tag, className, words) => make(tag, { className, textContent: words, title: words });

// The class names of an element: `always`, and the flags that are true.
function classes(always, flags) {
  return [always, ...Object.keys(flags).filter((flag) => flags[flag])].join(" ");
}

const some = (number, thing) => `${number.toLocaleString("en")} ${thing}${number === 1 ? "" : "s"}`;

const nameOf = (file) => (file === null ? "the loop" : files[file].name);

// A loop that was recorded without a name is just the loop.
const programOf = (side) => sides[side].program || "the loop";

// Round 0 is the set-up before the first select(), or all there is of a program without one.
function titleOf(round) {
  const before = hasRounds ? "Set-up" : "The calls";
  const title = round.number ? `Round ${round.number.toLocaleString("en")}` : before;
  return sides.length > 1 ? `${title} of ${programOf(round.side)}` : title;
}

// The call as strace shows it. Output for a terminal is shown without its blanks and its control
// sequences: these are among the bytes of the call.
function callOf(step) {
  const name = step.file === null ? "" : nameOf(step.file);
  return `${step.call}(${[name, plainArgs(step)].filter(Boolean).join(", ")})`;
}

function plainArgs({ file, call, args, data, round }) {
  if (call === "ready" && round !== undefined) return listed(rounds[round].ready);
  if (call !== "write" || files[file]?.kind !== "stream" || !BLANKS.test(args)) return args;
  const words = readable(data ?? "").replace(/ {2,}/g, " ");
  if (!words) return args; // it only moves the cursor
  return `"${words.slice(0, 32)}"${words.length > 32 ? "..." : ""}`;
}

const resultOf = ({ error, result }) => (error ? `−1 ${error}` : result);

// The files that are ready, each once; of many, the first three.
function listed(ready) {
  const names = [...new Set(ready.slice(0, 8).map(([file]) => nameOf(file)))];
  const more = ready.length > 3 && names.length > 3 ? ["…"] : [];
  return [...names.slice(0, 3), ...more].join(", ");
}

// A sentence of words: they begin with a capital, but for the name of a call, and end with a full
// stop.
function sentence(words) {
  if (!words) return "";
  const first = /^\w+\(/.test(words) ? words[0] : words[0].toUpperCase();
  return first + words.slice(1) + (/[.!?]$/.test(words) ? "" : ".");
}

const UTF8 = new TextDecoder();
const BLANKS = / {4}|\\x1b|\\r/;
const ESCAPES = /\p{Cc}\[[\d;?]*[A-Za-z]/gu; // colours of a terminal, and the like

// Bytes as text: decoded as UTF-8, on one line.
function readable(data) {
  const decoded = UTF8.decode(Uint8Array.from(data, (byte) => byte.charCodeAt(0)));
  return decoded.replace(ESCAPES, "").replace(/\p{Cc}+/gu, " ").trim();
}

const HEADER = 3;
const RECORD_HEADER = 5; // of TLS
const CELL_LIMIT = 300; // more than a frame; output for the screen can be longer
const RUN = 8; // so many equal bytes in a row are shown as one, with their number

// A cell for a byte: its character if that is printable, else two hexadecimal digits.
function cell(byte, className) {
  if (byte === undefined) return text("span", `byte empty ${className}`, "");
  const code = byte.charCodeAt(0);
  const hex = code.toString(16).padStart(2, "0");
  const isPrintable = code >= 0x20 && code <= 0x7e;
  const words = !isPrintable ? hex : code === 0x20 ? "␣" : byte;
  const made = text("span", classes(`byte ${className}`, { hex: !isPrintable }), words);
  return Object.assign(made, { title: `byte ${code}, 0x${hex}${KIND_WORDS[className] ?? ""}` });
}

const KIND_WORDS = { head: ", header", body: ", body", fault: ", which breaks the protocol" };
const KIND_CLASSES = { header: "head", body: "body", fault: "fault", other: "other" };

// `size` cells for bytes; the last ones may be empty. spans: pairs of a number of bytes and their
// kind, in order. isElided: a run of equal bytes is one cell.
function cells(data, spans, size = data.length, isElided = false) {
  const box = make("div", { className: "cells" });
  const most = Math.min(size, CELL_LIMIT);
  let i = 0;
  for (const [count, kind] of [...spans, [Infinity, "other"]]) {
    let isFirst = i > 0; // of a span that follows another
    for (const end = Math.min(most, i + count); i < end; isFirst = false) {
      const run = isElided ? runAt(data, i) : 1;
      const made = cell(data[i], KIND_CLASSES[kind]);
      if (isFirst) made.classList.add("first");
      box.append(made);
      if (run > 1) box.append(text("span", "more", `×${run}`));
      i += run;
    }
  }
  if (size > CELL_LIMIT) box.append(text("span", "more", `and ${size - CELL_LIMIT} more`));
  return box;
}

// The length of the run of equal bytes that begins here; 1 if it is short.
function runAt(data, start) {
  let end = start + 1;
  while (end < data.length && data[end] === data[start]) end++;
  return end - start < RUN ? 1 : end - start;
}

// The size of a body in bytes, by its header; 0 while the header is incomplete.
function bodySize(buffer) {
  return Number(/^[0-9]{3}/.exec(buffer)?.[0] ?? 0);
}

// Cells for a frame that fills up: three for the header, then as many as the header announces.
function frameCells(buffer) {
  const size = Math.max(HEADER + bodySize(buffer), buffer.length);
  return cells(buffer, [[HEADER, "header"], [Infinity, "body"]], size);
}

// The spans of bytes that are whole frames or records, or begin with some. Each has a header of
// `header` bytes; sizeOf(bytes) is the size of the body after it, null if it is no header. before:
// the bytes of a frame that has begun already.
function spansOf(data, header, sizeOf, before = "") {
  const all = before + data;
  const spans = [];
  const add = (from, to, kind) => {
    const count = Math.min(to, all.length) - Math.max(from, before.length);
    if (count > 0) spans.push([count, kind]);
  };
  for (let start = 0; start < all.length;) {
    const body = sizeOf(all.slice(start, start + header));
    if (body === null) return spans; // no header: all that follows is other bytes
    add(start, start + header, "header");
    add(start + header, start + header + body, "body");
    start += header + body;
  }
  return spans;
}

const frameSize = (bytes) => (/^[0-9]{0,3}$/.test(bytes) ? bodySize(bytes) : null);
const recordSize = (bytes) => 256 * (bytes.charCodeAt(3) || 0) + (bytes.charCodeAt(4) || 0);
