"use strict";
// The files at the present position: the interest set, and the connections that are chosen from it.

const CAST = 4; // the number of connections that are shown at once

// The file that stands for a connection. With two sides that is the end of the first side.
const principal = files.map(({ kind, side, peer }, number) => {
  if (kind !== "connection") return null;
  return side && peer !== null ? peer : number;
});
const connections = files.flatMap((_, file) => (principal[file] === file ? [file] : []));

const chosen = new Set(); // by the user, in the interest set

const interest = new VirtualList($("interest"), 1.7, (i) => watched[i]());
let watched = []; // the rows: a function each, by which a side or a file is drawn

function drawInterest(place) {
  const shown = [];
  let first = -1;
  for (const side of sides.keys()) {
    shown.push(() => sideRow(side));
    const ready = place.step.file ?? readyAt(place, side)[0]?.[0];
    for (const [file, { side: own }] of files.entries()) {
      // A file without a state is not open yet. A closed one is shown only at its own steps.
      const state = own === side && stateOf(file, place.number);
      if (!state || (state.closed && place.step.file !== file)) continue;
      if (file === ready) first = shown.length;
      shown.push(() => watchedRow(file, place));
    }
  }
  watched = shown;
  interest.show(watched.length, first);
}

// The heading of the files of one side.
function sideRow(side) {
  const name = sides.length > 1 ? programOf(side) : "file";
  const parts = [text("h3", "name", name), text("span", "state", ""),
    text("span", "bit-name", "read"), text("span", "bit-name", "write")];
  for (const part of parts) part.role = "columnheader";
  return make("div", { role: "row", className: "watched side" }, ...parts);
}

// The result of select() in the present round, after it has returned.
function readyAt({ round, stage }, side) {
  return round.side === side && stage !== "sleep" ? round.ready : [];
}

const BITS = { r: "reading", w: "writing" };

function watchedRow(file, place) {
  const { mask, closed } = stateOf(file, place.number);
  const ready = readyAt(place, files[file].side).find(([number]) => number === file)?.[1] ?? "";
  const words = closed ? "closed" : mask === null ? "not registered" : ready ? "ready" : "";
  const isReady = ready !== "" && mask !== null; // a callback may have unregistered it
  const className = classes("watched", { ready: isReady, away: mask === null });
  const row = make("div", { role: "row", className },
    text("span", "name", nameOf(file)), text("span", "state", words));
  for (const letter of "rw") {
    const wanted = (mask ?? "").includes(letter);
    const lit = isReady && ready.includes(letter);
    const bit = text("span", classes("bit", { wanted, lit }), wanted || lit ? letter : "·");
    const is = lit ? "ready" : wanted ? "watched" : "not watched";
    row.append(Object.assign(bit, { title: `${is} for ${BITS[letter]}` }));
  }
  if (connections.length > CAST && principal[file] !== null) row.append(pin(principal[file]));
  for (const part of row.children) part.role = "cell";
  if (place.step.file === file) row.classList.add("current");
  return row;
}

function pin(file) {
  const isChosen = chosen.has(file);
  return make("span", {}, make("button", {
    className: "pin",
    textContent: isChosen ? "●" : "○",
    ariaPressed: String(isChosen),
    ariaLabel: `Show ${nameOf(file)} as a connection with a lifeline`,
    onclick: () => {
      if (!chosen.delete(file)) chosen.add(file);
      refresh();
    },
  }));
}
