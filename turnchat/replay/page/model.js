"use strict";
// The recorded timeline, and the state at each of its steps.
//
// A position is the number of a step. A round consists of steps: the call of select(), its result,
// and then the callbacks and the timers.

const timeline = JSON.parse($("timeline").textContent);
$("timeline").remove(); // the text is as large as the data
const { sides, files, texts, steps } = timeline;

// Each with `steps`, the numbers of its steps, and `timers`, the index of its first timer in them.
const rounds = [];
const roundOf = []; // the number of a step's round in `rounds`
const numbered = new Map(); // rounds by side and number: "0:42"

// changes[f]: the steps that changed file f. states[f]: its state from each of them on. A page that
// begins in the middle has the states of the files that are open then, as if step −1 had set them.
const changes = files.map(() => []);
const states = files.map(() => []);
for (const [file, state] of timeline.states) change(file, -1, state);

// A step has only the parts of a state that it changes.
function change(file, number, parts) {
  changes[file].push(number);
  states[file].push({ ...states[file].at(-1), ...parts });
}

// The targets of the jump buttons: steps with messages, with faults, and with EAGAIN.
const landmarks = { message: [], fault: [], eagain: [] };

// The rounds of two sides overlap, so a round may come in several pieces with the same number. The
// last piece has the complete result of select().
for (const piece of timeline.rounds) {
  const key = `${piece.side}:${piece.number}`;
  if (!numbered.has(key)) numbered.set(key, rounds.push({ steps: [], timers: Infinity }) - 1);
  const index = numbered.get(key);
  Object.assign(rounds[index], piece);
  for (let number = piece.first; number < piece.last; number++) add(number, index);
}

function add(number, index) {
  const step = steps[number];
  const round = rounds[index];
  // A round may have most of the steps, so stageAt() must not look for its timer.
  if (step.call === "timer") round.timers = Math.min(round.timers, round.steps.length);
  round.steps.push(number);
  roundOf[number] = index;
  // Bytes that arrive also change the state of the sender's end.
  for (const [file, state] of [[step.file, step.state], step.other ?? []]) {
    if (state) change(file, number, state);
  }
  if (step.error === "EAGAIN") landmarks.eagain.push(number);
  const kind = kindOf(step);
  landmarks[kind === "goodbye" ? "message" : kind]?.push(number);
}

// The stage of a round at its nth step. A round begins with select and ready.
function stageAt(round, nth) {
  if (!round.number) return "set-up";
  if (nth <= 2) return nth === 1 ? "sleep" : "ready";
  return round.timers < nth || !round.ready.length ? "timers" : "callbacks";
}

// The kind of a step, which decides its colour: that of its gravest effect.
function kindOf(step) {
  for (const kind of ["fault", "message", "goodbye", "end"]) {
    if (step.effects?.some((effect) => effect.kind === kind)) return kind;
  }
  return step.error ? "error" : "plain";
}

// All that follows from the position. nth: the number of the step in its round, from 1 on.
function placeOf(number) {
  const index = roundOf[number];
  const round = rounds[index];
  const nth = lastAtMost(round.steps, number) + 1;
  return { number, index, round, nth, step: steps[number], stage: stageAt(round, nth) };
}

// The index of the last entry of `sorted` that is at most `value`; -1 if there is none.
function lastAtMost(sorted, value) {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] <= value) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

// The state of a file after a step; undefined before its first state.
function stateOf(file, number) {
  return states[file][lastAtMost(changes[file], number)];
}

// Convert between positions and addresses. An address of no round gives undefined.
function addressOf(number) {
  const { round, nth } = placeOf(number);
  const step = nth > 1 ? `&step=${nth}` : "";
  return `#round=${round.number}${step}${sides.length > 1 ? `&side=${round.side}` : ""}`;
}

function positionAt(address) {
  const asked = new URLSearchParams(address.slice(1));
  const round = rounds[numbered.get(`${asked.get("side") ?? 0}:${asked.get("round")}`)];
  if (!round) return undefined;
  const nth = Math.max(1, Number.parseInt(asked.get("step") ?? "1", 10) || 1);
  return round.steps[Math.min(nth, round.steps.length) - 1];
}
