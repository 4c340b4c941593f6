"use strict";
// What is said in words, and octets spelled one by one. It goes into the page as text, never as
// HTML: peers wrote some of it.

const $ = (id) => document.getElementById(id);

// A new element: its properties, and what it contains.
function make(tag, properties, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

const text = (tag, className, words) => make(tag, { className, textContent: words, title: words });

// What is always a class of an element, and the flags that are set.
function classes(always, flags) {
  return [always, ...Object.keys(flags).filter((flag) => flags[flag])].join(" ");
}

const some = (number, thing) => `${number.toLocaleString("en")} ${thing}${number === 1 ? "" : "s"}`;

const nameOf = (file) => (file === null ? "the loop" : files[file].name);

// What came before the first select() has the number 0.
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
const ESCAPES = /\p{Cc}\[[\d;?]*[A-Za-z]/gu; // what colours a terminal, and clears its rows

// What octets say to a reader: as UTF-8, on one line.
function readable(octets) {
  const decoded = UTF8.decode(Uint8Array.from(octets, (octet) => octet.charCodeAt(0)));
  return decoded.replace(ESCAPES, "").replace(/\p{Cc}+/gu, " ").trim();
}

const HEADER = 3;
const MOST_CELLS = 300; // more than a frame; what the screen is written can be longer

// A cell for an octet: itself if it can be printed, else its two hexadecimal digits.
function cell(octet, className) {
  if (octet === undefined) return text("span", `octet empty ${className}`, "");
  const code = octet.charCodeAt(0);
  const hex = code.toString(16).padStart(2, "0");
  const isPrintable = code >= 0x20 && code <= 0x7e;
  const words = !isPrintable ? hex : code === 0x20 ? "␣" : octet;
  const made = text("span", classes(`octet ${className}`, { hex: !isPrintable }), words);
  return Object.assign(made, { title: `octet ${code}, 0x${hex}` });
}

// `size` cells for octets, the last ones empty. The first `header` of them are a frame's header.
function cells(octets, header = 0, size = octets.length) {
  const box = make("div", { className: "cells" });
  for (let i = 0; i < Math.min(size, MOST_CELLS); i++) {
    box.append(cell(octets[i], i < header ? "head" : "body"));
  }
  if (size > MOST_CELLS) box.append(text("span", "more", `and ${size - MOST_CELLS} more`));
  return box;
}

// How many octets the body has, by its header; 0 as long as that is not known.
function bodySize(buffer) {
  return Number(/^[0-9]{3}/.exec(buffer)?.[0] ?? 0);
}

// The place for one frame: three cells of header, then as many as the header says; filling.
function frameCells(buffer) {
  return cells(buffer, HEADER, Math.max(HEADER + bodySize(buffer), buffer.length));
}
