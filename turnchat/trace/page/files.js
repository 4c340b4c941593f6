"use strict";
// The files at the present moment: the interest set, and each connection with its buffers and its
// turn. With two sides, the two ends of a connection are shown as one, with what is between them.

const CAST = 4; // as many connections are shown at once

// One entry for each connection: with two sides, the first side's end stands for both.
const principal = files.map(({ kind, side, peer }, number) => {
  if (kind !== "connection") return null;
  return side && peer !== null ? peer : number;
});
const connections = files.flatMap((_, file) => (principal[file] === file ? [file] : []));

const chosen = new Set(); // by the user, in the interest set
let cast = [];

// Who is shown: all if they are few; else who was chosen, and if nobody was, whose calls are
// nearest. Who stays keeps the place, so that little moves from step to step.
function castAt({ number }) {
  if (connections.length <= CAST) return connections;
  if (chosen.size) return [...chosen].slice(-CAST).sort((a, b) => a - b);
  const near = new Set();
  for (let away = 0; away < 500 && near.size < CAST; away++) {
    for (const step of [steps[number - away], steps[number + away]]) {
      const file = principal[step?.file] ?? null;
      if (file !== null && near.size < CAST) near.add(file);
    }
  }
  const staying = new Set(cast.filter((file) => near.delete(file)));
  const coming = [...near];
  const kept = cast.map((file) => (staying.has(file) ? file : coming.shift()));
  return [...kept, ...coming].filter((file) => file !== undefined);
}

// --- The interest set -------------------------------------------------------------------------

const interestSets = sides.map(({ program }, side) => {
  const box = make("div", { className: "list", role: "table", ariaLabel: `watched by ${program}` });
  const column = make("div", { className: "set" }, box);
  if (sides.length > 1) column.prepend(text("h3", "", program));
  document.getElementById("interest").append(column);
  const set = { side, watched: [] };
  set.list = new VirtualList(box, 1.8, (i) => watchedRow(set.watched[i], set.place));
  return set;
});

function drawFiles(place) {
  cast = castAt(place);
  drawInterest(place);
  drawConnections(place);
}

function drawInterest(place) {
  for (const set of interestSets) {
    set.place = place;
    // A file of which nothing is known is not there yet; one that is closed is gone.
    set.watched = files.flatMap(({ side }, file) => {
      const state = side === set.side && stateOf(file, place.number);
      return state && (!state.closed || place.step.file === file) ? [file] : [];
    });
    const first = place.step.file ?? readyAt(place, set.side)[0]?.[0];
    set.list.show(set.watched.length, set.watched.indexOf(first));
  }
}

// What select() has reported in the present round, once it has.
function readyAt({ round, stage }, side) {
  return round.side === side && stage !== "sleep" ? round.ready : [];
}

function watchedRow(file, place) {
  const { mask, closed } = stateOf(file, place.number);
  const ready = readyAt(place, files[file].side).find(([number]) => number === file)?.[1] ?? "";
  const words = closed ? "closed" : mask === null ? "not registered" : ready ? "ready" : "";
  const row = make("div", { role: "row", className: "watched" },
    text("span", "name", nameOf(file)), text("span", "state", words));
  for (const letter of "rw") {
    const wanted = (mask ?? "").includes(letter);
    const lit = ready.includes(letter);
    const bit = text("span", "bit", wanted || lit ? letter : "·");
    bit.classList.toggle("wanted", wanted);
    bit.classList.toggle("lit", lit);
    row.append(bit);
  }
  row.classList.toggle("ready", ready !== "");
  row.classList.toggle("away", mask === null);
  if (connections.length > CAST && principal[file] !== null) row.append(pin(principal[file]));
  for (const part of row.children) part.role = "cell";
  return row;
}

function pin(file) {
  const isChosen = chosen.has(file);
  const button = make("button", {
    className: "pin",
    textContent: isChosen ? "●" : "○",
    ariaPressed: String(isChosen),
    ariaLabel: `Show ${nameOf(file)} as a connection with a lifeline`,
  });
  button.addEventListener("click", () => {
    if (!chosen.delete(file)) chosen.add(file);
    refresh();
  });
  return make("span", {}, button);
}

// --- The connections --------------------------------------------------------------------------

function drawConnections(place) {
  const all = connections.length.toLocaleString("en");
  const note = document.getElementById("cast");
  note.hidden = connections.length <= CAST;
  note.textContent = chosen.size
    ? `Chosen: ${cast.length} of ${all}, ${CAST} at most.`
    : `${cast.length} of ${all}: whose calls are nearest. Choose others (○) in the interest set.`;
  const box = document.getElementById("connections");
  box.replaceChildren(...cast.map((file) => connectionCard(file, place)));
  if (!cast.length) box.append(text("p", "note", "None in this recording."));
  box.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest" });
}

// A connection from the one end to the other.
function connectionCard(file, place) {
  const { peer } = files[file];
  const near = stateOf(file, place.number);
  const card = make("article", { className: "connection", ariaLabel: nameOf(file) });
  card.append(endOf(file, place));
  if (principal[place.step.file] === file) card.ariaCurrent = "true";
  if (peer === null) {
    if (near && !near.closed) card.append(remoteEnd(near));
  } else {
    card.classList.add("both");
    card.append(wireOf(near, stateOf(peer, place.number)), endOf(peer, place));
  }
  return card;
}

// The token of the turn is on the side whose turn it is.
function token(turn) {
  return text("span", "token", turn === "last" ? "last turn" : "turn");
}

function owns(state) {
  return state?.turn === "ours" || state?.turn === "last";
}

// An end that was recorded: who it is, its buffers, and what the parser waits for.
function endOf(file, place) {
  const state = stateOf(file, place.number);
  const who = make("div", { className: "who" }, text("h3", "", nameOf(file)));
  const end = make("div", { className: "end" }, who);
  if (sides.length > 1) end.prepend(text("p", "facts", sides[files[file].side].program));
  end.classList.toggle("gone", !state || state.closed === true);
  if (!state) {
    end.append(text("p", "facts", "not there yet"));
    return end;
  }
  const { mask, closed, turn, turns = 0, unsent = "", buffer = "" } = state;
  if (owns(state)) who.append(token(turn));
  if (turn === "over") who.append(text("span", "over", "over"));
  const waits = closed ? "closed" : maskWords(mask);
  end.append(text("p", "facts", `${waits} · ${some(turns, "turn")}`));
  if (closed) return end;
  const whole = wholeFrame(file, state, place);
  if (whole) end.append(bufferOf("read buffer", "a whole frame: handed on", frameCells(whole)));
  else end.append(bufferOf("read buffer", parserOf(buffer), frameCells(buffer)));
  const left = unsent ? `${some(unsent.length, "octet")} still to be sent` : "empty";
  end.append(bufferOf("write buffer", left, cells(unsent)));
  end.lastChild.classList.add("unsent");
  return end;
}

function bufferOf(name, words, content) {
  const heading = make("p", {}, text("b", "", name), ` ${words}`);
  return make("div", { className: "buffer" }, heading, content);
}

function maskWords(mask) {
  if (mask === null) return "not registered";
  return { r: "waits to read", w: "waits to write", rw: "waits to read or write" }[mask] ?? "idle";
}

// The frame that the present step completed. The buffer is empty again when the step is over, but
// what it was filled with is what one wants to see.
function wholeFrame(file, state, { step, number }) {
  const heard = step.events?.some(({ kind, ours }) => !ours && kind !== "end" && kind !== "fault");
  if (step.file !== file || state.buffer || !heard) return "";
  const frame = (stateOf(file, number - 1)?.buffer ?? "") + step.octets;
  return frame.slice(0, HEADER + bodySize(frame));
}

// What is between two ends: octets under way, and the token, which travels with them.
function wireOf(near, far) {
  const wire = make("div", { className: "wire" });
  if (near?.turn === "theirs" && far?.turn === "theirs") wire.append(token());
  for (const [state, arrow] of [[near, "→"], [far, "←"]]) {
    if (!state?.way) continue;
    wire.append(text("p", "", `${arrow} ${some(state.way.length, "octet")} under way`));
    wire.append(cells(state.way, HEADER));
  }
  return wire;
}

// The other end when only this one was recorded: all that is known of it is the turn.
function remoteEnd({ turn }) {
  const end = make("div", { className: "remote" }, text("h3", "", "peer"));
  if (turn === "theirs") end.append(token());
  return end;
}
