"use strict";
// What is said in words, and octets spelled one by one. It goes into the page as text, never as
// HTML: peers wrote some of it.

// A new element: its properties, and what it contains.
function make(tag, properties, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

function text(tag, className, textContent) {
  return make(tag, { className, textContent, title: textContent });
}

function some(number, thing) {
  return `${number.toLocaleString("en")} ${thing}${number === 1 ? "" : "s"}`;
}

// A length of time with three digits and the unit that fits.
function duration(seconds) {
  const micro = Math.round(seconds * 1e6);
  if (micro < 1000) return `${micro} µs`;
  if (micro < 1e6) return `${Number((micro / 1e3).toPrecision(3))} ms`;
  return `${Number(seconds.toPrecision(3))} s`;
}

function listed(names) {
  if (names.length > 4) return `${names.slice(0, 3).join(", ")} and ${names.length - 3} more`;
  return [names.slice(0, -1).join(", "), names.at(-1)].filter(Boolean).join(" and ");
}

function nameOf(file) {
  return file === null ? "the loop" : files[file].name;
}

// What came before the first select() has the number 0.
function titleOf(round) {
  const title = round.number ? `Round ${round.number.toLocaleString("en")}` : "Set-up";
  return sides.length > 1 ? `${title} of ${sides[round.side].program}` : title;
}

// How long select() slept, how long it might have, and what ended it.
function sleepOf({ number, t, woke, timeout, deadline, ready }) {
  if (!number) return "Before the loop's first select().";
  const names = [...new Set(ready.map(([file]) => nameOf(file)))];
  const end = names.length
    ? `${listed(names)} ${names.length === 1 ? "is" : "are"} ready`
    : "no file is ready";
  if (timeout !== null && timeout <= 0) {
    const due = deadline === null ? "" : `: the deadline of ${deadline} is due`;
    return `did not sleep${due}; ${end}`;
  }
  const most = timeout === null ? ", for as long as it takes" : ` of at most ${duration(timeout)}`;
  const until = deadline === null ? "" : `, until the deadline of ${deadline}`;
  return `slept ${duration(woke - t)}${most}${until}; ${end}`;
}

// The call as strace shows it.
function callOf({ file, call, args }) {
  return `${call}(${[file === null ? "" : nameOf(file), args].filter(Boolean).join(", ")})`;
}

function resultOf({ error, result }) {
  return error ? `−1 ${error}` : result;
}

const UTF8 = new TextDecoder();
const ESCAPES = /\p{Cc}\[[\d;?]*[A-Za-z]/gu; // what colours a terminal, and clears its rows

// What octets say to a reader: as UTF-8, on one line.
function readable(octets) {
  const decoded = UTF8.decode(Uint8Array.from(octets, (octet) => octet.charCodeAt(0)));
  return decoded.replace(ESCAPES, "").replace(/\p{Cc}+/gu, " ").trim();
}

// --- Octets -----------------------------------------------------------------------------------

const HEADER = 3;
const MOST_CELLS = 300; // more than a frame; what the screen is written can be longer

// A cell for an octet: itself if it can be printed, else its two hexadecimal digits.
function cell(octet, className) {
  if (octet === undefined) return text("span", `octet empty ${className}`, "");
  const code = octet.charCodeAt(0);
  const hex = code.toString(16).padStart(2, "0");
  const made = text("span", `octet ${className}`, code === 0x20 ? "␣" : octet);
  if (code < 0x20 || code > 0x7e) {
    made.classList.add("hex");
    made.textContent = hex;
  }
  made.title = `octet ${code}, 0x${hex}`;
  return made;
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
  const header = buffer.slice(0, HEADER);
  return /^[0-9]{3}$/.test(header) ? Number(header) : 0;
}

// The place for one frame: three cells of header, then as many as the header says; filling.
function frameCells(buffer) {
  return cells(buffer, HEADER, Math.max(HEADER + bodySize(buffer), buffer.length));
}

// What the parser waits for.
function parserOf(buffer) {
  if (!buffer) return "between frames";
  if (buffer.length < HEADER) return `${buffer.length} of ${HEADER} octets of the header`;
  return `${buffer.length - HEADER} of ${some(bodySize(buffer), "octet")} of the body`;
}
