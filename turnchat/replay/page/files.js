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
let cast = []; // whose connections are drawn, and have a lifeline in the diagram

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

const interestSets = sides.map(({ program }, side) => {
  const box = make("div", { className: "list", role: "table", ariaLabel: `watched by ${program}` });
  const heading = sides.length > 1 ? text("h3", "", program) : "";
  $("interest").append(make("div", { className: "set" }, heading, box));
  const set = { side, watched: [] };
  set.list = new VirtualList(box, 1.8, (i) => watchedRow(set.watched[i], placeOf(now)));
  return set;
});

function drawInterest(place) {
  for (const set of interestSets) {
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
  const className = classes("watched", { ready: ready !== "", away: mask === null });
  const row = make("div", { role: "row", className },
    text("span", "name", nameOf(file)), text("span", "state", words));
  for (const letter of "rw") {
    const wanted = (mask ?? "").includes(letter);
    const lit = ready.includes(letter);
    row.append(text("span", classes("bit", { wanted, lit }), wanted || lit ? letter : "·"));
  }
  if (connections.length > CAST && principal[file] !== null) row.append(pin(principal[file]));
  for (const part of row.children) part.role = "cell";
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

function drawConnections(place) {
  cast = castAt(place);
  const all = connections.length.toLocaleString("en");
  const note = $("cast");
  note.hidden = connections.length <= CAST;
  note.textContent = chosen.size
    ? `Chosen: ${cast.length} of ${all}, ${CAST} at most.`
    : `${cast.length} of ${all}: whose calls are nearest. Choose others (○) in the interest set.`;
  const box = $("connections");
  box.replaceChildren(...cast.map((file) => connectionCard(file, place)));
  if (!cast.length) box.append(text("p", "note", "None in this recording."));
  box.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest" });
}

// A connection from the one end to the other.
function connectionCard(file, place) {
  const { peer } = files[file];
  const near = stateOf(file, place.number);
  const card = make("article", { className: "connection", ariaLabel: nameOf(file) },
    endOf(file, place));
  if (principal[place.step.file] === file) card.ariaCurrent = "true";
  if (peer !== null) {
    card.classList.add("both");
    card.append(wireOf(near, stateOf(peer, place.number)), endOf(peer, place));
  } else if (near && !near.closed) {
    // When only one end was recorded, all that is known of the other is the turn.
    const turn = near.turn === "theirs" ? token() : "";
    card.append(make("div", { className: "remote" }, text("h3", "", "peer"), turn));
  }
  return card;
}

// The token of the turn is on the side whose turn it is.
const token = (turn) => text("span", "token", turn === "last" ? "last turn" : "turn");

const WAITS = { r: "waits to read", w: "waits to write", rw: "waits to read or write", "": "idle" };

// An end that was recorded: who it is, its buffers, and what the parser waits for.
function endOf(file, place) {
  const state = stateOf(file, place.number);
  const { mask, closed, turn, turns = 0, unsent = "", buffer = "", parser } = state ?? {};
  const who = make("div", { className: "who" }, text("h3", "", nameOf(file)));
  if (turn === "ours" || turn === "last") who.append(token(turn));
  if (turn === "over") who.append(text("span", "over", "over"));
  const waits = closed ? "closed" : WAITS[mask] ?? "not registered";
  const end = make("div", { className: classes("end", { gone: !state || closed }) }, who,
    text("p", "facts", state ? `${waits} · ${some(turns, "turn")}` : "not there yet"));
  if (sides.length > 1) end.prepend(text("p", "facts", sides[files[file].side].program));
  if (!state || closed) return end;
  const whole = wholeFrame(file, state, place);
  const says = whole ? "a whole frame: handed on" : parser;
  const left = unsent ? `${some(unsent.length, "octet")} still to be sent` : "empty";
  end.append(bufferOf("buffer", "read buffer", says, frameCells(whole || buffer)),
    bufferOf("buffer unsent", "write buffer", left, cells(unsent)));
  return end;
}

function bufferOf(className, name, words, content) {
  const heading = make("p", {}, text("b", "", name), ` ${words}`);
  return make("div", { className }, heading, content);
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
    const words = `${arrow} ${some(state.way.length, "octet")} under way`;
    wire.append(text("p", "", words), cells(state.way, HEADER));
  }
  return wire;
}
