"use strict";
// The files at the present position: the interest set, and each connection with its buffers and its
// turn. With two sides, both ends of a connection are shown as one, with the bytes between them.

const CAST = 4; // the number of connections that are shown at once

// The file that stands for a connection. With two sides that is the end of the first side.
const principal = files.map(({ kind, side, peer }, number) => {
  if (kind !== "connection") return null;
  return side && peer !== null ? peer : number;
});
const connections = files.flatMap((_, file) => (principal[file] === file ? [file] : []));

const chosen = new Set(); // by the user, in the interest set
let cast = []; // the connections that are drawn, and have a lifeline in the diagram

// The connections to show: all if there are few, else those chosen, else those with the nearest
// calls that are not closed by now: a client that waits for its server makes many in vain. One that
// stays keeps its place, so that little moves from step to step.
function castAt({ number, step: present }) {
  if (connections.length <= CAST) return connections;
  if (chosen.size) return [...chosen].slice(-CAST).sort((a, b) => a - b);
  const near = new Set();
  for (let away = 0; away < 500 && near.size < CAST; away++) {
    for (const step of [steps[number - away], steps[number + away]]) {
      const file = principal[step?.file] ?? null;
      if (file === null || near.size === CAST) continue;
      if (file === principal[present.file] || !stateOf(file, number)?.closed) near.add(file);
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
    // A file without a state is not open yet. A closed one is shown only at its own steps.
    set.watched = files.flatMap(({ side }, file) => {
      const state = side === set.side && stateOf(file, place.number);
      return state && (!state.closed || place.step.file === file) ? [file] : [];
    });
    const first = place.step.file ?? readyAt(place, set.side)[0]?.[0];
    set.list.show(set.watched.length, set.watched.indexOf(first));
  }
}

// The result of select() in the present round, after it has returned.
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
    : `${cast.length} of ${all}: the nearest calls. Choose others (○) in the interest set.`;
  const box = $("connections");
  box.replaceChildren(...cast.map((file) => connectionCard(file, place)));
  if (!cast.length) box.append(text("p", "note", "None in this recording."));
  const current = box.querySelector("[aria-current]");
  if (current) bringIntoView(box, current);
}

// Scroll a box as far as it takes to show one of its parts. scrollIntoView() would do more: in
// Chromium the Tab key then goes on from that part.
function bringIntoView(box, part) {
  const [seen, wanted] = [box.getBoundingClientRect(), part.getBoundingClientRect()];
  if (wanted.top < seen.top) box.scrollTop -= seen.top - wanted.top;
  else if (wanted.bottom > seen.bottom) box.scrollTop += wanted.bottom - seen.bottom;
}

// A connection with both ends.
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
    // If only one end was recorded, nothing but the turn is known of the other.
    const turn = near.turn === "theirs" ? token() : "";
    card.append(make("div", { className: "remote" }, text("h3", "", "peer"), turn));
  }
  return card;
}

// The token is on the side that has the turn.
const token = (turn) => text("span", "token", turn === "last" ? "last turn" : "turn");

const WAITS = { r: "waits to read", w: "waits to write", rw: "waits to read or write", "": "idle" };

// An end that was recorded: its name, its buffers, and the progress of its parser.
function endOf(file, place) {
  const state = stateOf(file, place.number);
  const { mask, closed, turn, turns = 0, buffer = "", parser } = state ?? {};
  const { unsent = "", unsentSize = 0, tls } = state ?? {};
  const heading = make("div", { className: "heading" }, text("h3", "", nameOf(file)));
  if (turn === "ours" || turn === "last") heading.append(token(turn));
  if (turn === "over") heading.append(text("span", "over", "over"));
  const waits = closed ? "closed" : WAITS[mask] ?? "not registered";
  const end = make("div", { className: classes("end", { gone: !state || closed }) }, heading,
    text("p", "facts", state ? `${waits} · ${some(turns, "turn")}` : "not there yet"));
  if (sides.length > 1) end.prepend(text("p", "facts", sides[files[file].side].program));
  if (!state || closed) return end;
  const whole = wholeFrame(file, state, place);
  const says = whole ? "a whole frame: handed on" : parser;
  const left = unsent ? `${some(unsentSize, "byte")} still to be sent` : "empty";
  end.append(bufferOf("buffer", "read buffer", says, frameCells(whole || buffer)),
    bufferOf("buffer unsent", "write buffer", left, cells(unsent, 0, unsentSize)));
  if (tls) end.append(bufferOf("buffer", "TLS", tls, ""));
  return end;
}

function bufferOf(className, name, words, content) {
  const heading = make("p", {}, text("b", "", name), ` ${words}`);
  return make("div", { className }, heading, content);
}

// The frame that the present step completed. The buffer is empty after the step, but a reader wants
// to see the frame.
function wholeFrame(file, state, { step, number }) {
  const received = step.effects?.some(({ kind, ours }) =>
    !ours && (kind === "message" || kind === "goodbye"));
  if (step.file !== file || state.buffer || !received) return "";
  const frame = (stateOf(file, number - 1)?.buffer ?? "") + step.data;
  return frame.slice(0, HEADER + bodySize(frame));
}

// Between two ends: bytes in flight, and the token, which travels with them.
function wireOf(near, far) {
  const wire = make("div", { className: "wire" });
  if (near?.turn === "theirs" && far?.turn === "theirs") wire.append(token());
  for (const [state, arrow] of [[near, "→"], [far, "←"]]) {
    if (!state?.inflight) continue;
    const words = `${arrow} ${some(state.inflightSize, "byte")} in flight`;
    const head = state.tls ? RECORD_HEADER : HEADER;
    wire.append(text("p", "", words), cells(state.inflight, head, state.inflightSize));
  }
  return wire;
}
