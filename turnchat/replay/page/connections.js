"use strict";
// The connections, each with its buffers and with the turn, in words, at the end that has it. With
// two sides, both ends of a connection are shown as one, with the bytes between them.

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
  // Of a connection that is higher than the panel, the end that acts is in sight.
  const isWhole = current && current.offsetHeight <= box.clientHeight;
  const part = isWhole ? current : current?.querySelector(".acting");
  if (part) bringIntoView(box, part);
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
  const { peer, side } = files[file];
  const near = stateOf(file, place.number);
  const far = peer === null ? undefined : stateOf(peer, place.number);
  const name = nameOf(file);
  const program = programOf(side);
  const card = make("article", { className: "connection", ariaLabel: name });
  if (principal[place.step.file] === file) card.ariaCurrent = "true";
  if (peer !== null) {
    card.classList.add("both");
    const wire = wireOf(near, far, program, programOf(files[peer].side));
    card.append(endOf(file, place), wire, endOf(peer, place));
  } else {
    // If only one end was recorded, nothing but the turn is known of the other. It is on the left,
    // as in the diagram.
    const turn = near?.turn === "theirs" && !near.closed ? token(name) : "";
    const remote = make("div", { className: "remote" }, text("h3", "", name), turn);
    card.append(remote, endOf(file, place));
  }
  return card;
}

// The token is at the side that has the turn, and says so.
function token(name, turn) {
  return text("span", "token", `${name} has the ${turn === "last" ? "last turn" : "turn"}`);
}

const WAITS = { r: "waits to read", w: "waits to write", rw: "waits to read or write", "": "idle" };

// An end that was recorded: its program, its buffers, and the progress of its parser.
function endOf(file, place) {
  const state = stateOf(file, place.number);
  const { mask, closed, turn, turns = 0, buffer = "", parser } = state ?? {};
  const { unsent = "", unsentSize = 0, tls } = state ?? {};
  const program = programOf(files[file].side);
  const waits = closed ? "closed" : WAITS[mask] ?? "not registered";
  const facts = state ? `${waits} · ${some(turns, "message")}` : "not there yet";
  const flags = { gone: !state || closed, acting: place.step.file === file };
  const end = make("div", { className: classes("end", flags) },
    text("h3", "", program),
    text("p", "facts", sides.length > 1 ? `${nameOf(file)}: ${facts}` : facts));
  if (!state || closed) return end;
  if (turn === "ours" || turn === "last") end.append(token(program, turn));
  if (turn === "over") end.append(text("span", "over", "the conversation is over"));
  const whole = wholeFrame(file, state, place);
  const says = whole ? "a whole frame: handed on" : parser;
  const left = unsent ? `${some(unsentSize, "byte")} still to be sent` : "empty";
  end.append(bufferOf("buffer", "read buffer", says, frameCells(whole || buffer)),
    bufferOf("buffer unsent", "write buffer", left, cells(unsent, [], unsentSize)));
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

// Between two ends: bytes in flight, and the turn, which travels with them.
function wireOf(near, far, program, peer) {
  const wire = make("div", { className: "wire" });
  if (near?.turn === "theirs" && far?.turn === "theirs") {
    wire.append(text("span", "token", "the turn is on its way"));
  }
  for (const [from, to, name] of [[near, far, peer], [far, near, program]]) {
    if (!from?.inflight) continue;
    const words = `${some(from.inflightSize, "byte")} in flight to ${name}`;
    const arrow = from === near ? `${words} →` : `← ${words}`;
    wire.append(text("p", "", arrow), cells(from.inflight, wayOf(from, to), from.inflightSize));
  }
  return wire;
}

// The spans of bytes in flight. They go on where those in the read buffer at the other end stop.
function wayOf(from, to) {
  if (!from.tls) return spansOf(from.inflight, HEADER, frameSize, to?.buffer);
  const isBetween = !to?.tls || to.tls.endsWith("between records");
  return isBetween ? spansOf(from.inflight, RECORD_HEADER, recordSize) : [];
}
