"use strict";
// The conversation as a sequence diagram. A step has a row if it moves bytes, opens or ends a
// connection, or has an effect. Only rows in sight are drawn.

const OWN_STREAMS = 3; // if there are more streams, those of a side share one lifeline

// All rows, in order: {number, file, kind, ours, said}. opened, closed: the first and last row of
// each connection.
const opened = new Map();
const closed = new Map();
const rows = steps.flatMap((step, number) => rowsOf(step, number));
const rowSteps = rows.map((row) => row.number);
for (const [file] of timeline.states) opened.set(file, -1);
rows.forEach(({ kind, file }, i) => ({ opened, closed })[kind]?.set(file, i));

function rowsOf({ file, call, effects = [], data, error, held: kept, state }, number) {
  if (file === null) return [];
  const row = (kind, ours, said) => ({ number, file, kind, ours, said });
  const sends = ["send", "write", "encrypt"].includes(call);
  const found = effects.map((effect) => row(effect.kind, effect.ours, effect.text));
  const isHeld = error === "EAGAIN" && kept?.length;
  if (isHeld) found.push(row("held", true, `not sent yet: ${kept[0].text}`));
  const isConnection = files[file].kind === "connection";
  if (data && !error && !effects.length) found.push(row(isConnection ? "part" : "stream", sends));
  if (!isConnection || !state) return found;
  if (changes[file][0] === number) found.unshift(row("opened", false, "opened"));
  if (state.closed && !stateOf(file, number - 1)?.closed) found.push(row("closed", true, "closed"));
  return found;
}

const streams = files.flatMap(({ kind }, file) => (kind === "stream" ? [file] : []));

const loopKey = (file) => `loop ${files[file].side}`;

// The key of the far lifeline of a file. If both ends of a connection were recorded, that is the
// other loop.
function farKey(file) {
  const { kind, peer, side } = files[file];
  if (kind === "stream") return streams.length <= OWN_STREAMS ? file : `streams ${side}`;
  if (kind !== "connection") return loopKey(file);
  if (peer !== null) return loopKey(peer);
  return cast.includes(file) ? file : "others";
}

// The lifelines from left to right: {name, x} by their keys. x is a fraction of the width.
function lifelines() {
  const remote = connections.filter((file) => files[file].peer === null);
  const named = (file) => [file, nameOf(file)];
  const all = remote.filter((file) => cast.includes(file)).map(named);
  const others = remote.length - all.length;
  if (others) all.push(["others", `${others.toLocaleString("en")} others`]);
  // With two sides the loops are neighbours. The streams of each are on its outer side.
  sides.forEach((_, side) => {
    const short = programOf(side).replace("turnchat-", ""); // there is little space
    const loop = [`loop ${side}`, short];
    const own = streams.filter((file) => files[file].side === side);
    const names = own.length > 2 ? some(own.length, "stream") : own.map(nameOf).join(" + ");
    const shared = [`streams ${side}`, names];
    const beside = streams.length <= OWN_STREAMS ? own.map(named) : own.length ? [shared] : [];
    all.push(...(side < sides.length - 1 ? [...beside, loop] : [loop, ...beside]));
  });
  return new Map(all.map(([key, name], i) => [key, { name, x: (i + 0.5) / all.length }]));
}

let lanes = new Map();
const sequence = new VirtualList($("sequence"), 2.4, sequenceRow);
const lines = make("div", { className: "lines" });
const marker = make("div", { className: "marker" });
sequence.content.prepend(lines, marker);

const percent = (part) => `${(part * 100).toFixed(2)}%`;

const MARKS = ["opened", "closed", "handshake"]; // at the far end: no bytes move
const STAYS = "held"; // at the loop: the bytes wait there
const PREFIXES = { part: "part of a frame: ", fault: "fault: " };

function sequenceRow(i) {
  const { number, file, kind, ours, said } = rows[i];
  const far = farKey(file);
  const isMark = MARKS.includes(kind) || kind === STAYS;
  // On a lifeline that several share, the label names the connection.
  const isBoth = files[file].peer !== null;
  const isShared = typeof far !== "number" && !isBoth;
  const whose = MARKS.includes(kind) ? `${nameOf(file)} ` : isShared ? `${nameOf(file)}: ` : "";
  const words = `${whose}${PREFIXES[kind] ?? ""}${said ?? readable(steps[number].data)}`;
  const ends = [loopKey(file), kind === STAYS ? loopKey(file) : far];
  const [from, to] = ends.map((key) => lanes.get(key).x);
  const [left, right] = [Math.min(from, to), Math.max(from, to)];
  const label = text("span", "words", words);
  const shape = isMark || from === to ? "dot" : "line";
  const line = make("span", { className: classes(shape, { left: ours === to < from }) });
  Object.assign(line.style, isMark
    ? { left: percent(to) }
    : { left: percent(left), width: percent(right - left) });
  // The label begins at the arrow's left end, or ends at its right end if there is more space.
  Object.assign(label.style, right <= 1 - left
    ? { left: percent(isMark ? to : left), maxWidth: percent(1 - left) }
    : { right: percent(1 - right), maxWidth: percent(right) });
  return make("button", {
    // The current row may lie before the position; then it is past.
    className: classes(`arrow ${kind}`, { past: number !== now, leaving: ours && isBoth }),
    title: words,
    ariaLabel: isMark ? words : `${ours ? "to" : "from"} ${nameOf(file)}: ${words}`,
    onclick: () => go(number, { jump: true }),
  }, label, line);
}

function drawSequence(place) {
  lanes = lifelines();
  $("lanes").replaceChildren(...[...lanes.values()].map(({ name, x }) => {
    const style = `left: ${percent(x)}; max-width: ${percent(1 / lanes.size)}`;
    return make("span", { textContent: name, title: name, style });
  }));
  $("lifelines-note").hidden = !lanes.has("others");
  const row = lastAtMost(rowSteps, place.number);
  sequence.show(rows.length, row);
  marker.style.top = `${(row + 1) * sequence.pixels}px`;
  lines.replaceChildren(...[...lanes].map(([key, { x }]) => lifeline(key, x)));
}

// A lifeline behind the rows: solid while its connection is open.
function lifeline(key, x) {
  const line = make("span", { style: `left: ${percent(x)}` });
  if (!opened.has(key)) return line;
  const top = (opened.get(key) + 0.75) * sequence.pixels;
  const bottom = (closed.has(key) ? closed.get(key) + 0.75 : rows.length) * sequence.pixels;
  const style = `top: ${top}px; height: ${bottom - top}px`;
  line.append(make("span", { className: "alive", style }));
  return line;
}
