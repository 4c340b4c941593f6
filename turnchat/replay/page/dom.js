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

// Round 0 is the set-up before the first select().
function titleOf(round) {
  const title = round.number ? `Round ${round.number.toLocaleString("en")}` : "Set-up";
  return sides.length > 1 ? `${title} of ${sides[round.side].program}` : title;
}

// The call as strace shows it.
function callOf({ file, call, args }) {
  return `${call}(${[file === null ? "" : nameOf(file), args].filter(Boolean).join(", ")})`;
}

const resultOf = ({ error, result }) => (error ? `−1 ${error}` : result);

const UTF8 = new TextDecoder();
const ESCAPES = /\p{Cc}\[[\d;?]*[A-Za-z]/gu; // colours of a terminal, and the like

// Bytes as text: decoded as UTF-8, on one line.
function readable(data) {
  const decoded = UTF8.decode(Uint8Array.from(data, (byte) => byte.charCodeAt(0)));
  return decoded.replace(ESCAPES, "").replace(/\p{Cc}+/gu, " ").trim();
}

const HEADER = 3;
const RECORD_HEADER = 5; // of TLS
const CELL_LIMIT = 300; // more than a frame; output for the screen can be longer

// A cell for a byte: its character if that is printable, else two hexadecimal digits.
function cell(byte, className) {
  if (byte === undefined) return text("span", `byte empty ${className}`, "");
  const code = byte.charCodeAt(0);
  const hex = code.toString(16).padStart(2, "0");
  const isPrintable = code >= 0x20 && code <= 0x7e;
  const words = !isPrintable ? hex : code === 0x20 ? "␣" : byte;
  const made = text("span", classes(`byte ${className}`, { hex: !isPrintable }), words);
  return Object.assign(made, { title: `byte ${code}, 0x${hex}` });
}

// `size` cells for bytes; the last ones may be empty. The first `header` cells are a header.
function cells(data, header = 0, size = data.length) {
  const box = make("div", { className: "cells" });
  for (let i = 0; i < Math.min(size, CELL_LIMIT); i++) {
    box.append(cell(data[i], i < header ? "head" : "body"));
  }
  if (size > CELL_LIMIT) box.append(text("span", "more", `and ${size - CELL_LIMIT} more`));
  return box;
}

// The size of a body in bytes, by its header; 0 while the header is incomplete.
function bodySize(buffer) {
  return Number(/^[0-9]{3}/.exec(buffer)?.[0] ?? 0);
}

// Cells for a frame that fills up: three for the header, then as many as the header announces.
function frameCells(buffer) {
  return cells(buffer, HEADER, Math.max(HEADER + bodySize(buffer), buffer.length));
}
