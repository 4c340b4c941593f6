"use strict";
// The recording, and what was the case at each of its steps.
//
// A position is the number of a step. Rounds are made of steps too: the first is the call of
// select(), the second is what it reported, and then come the callbacks and the deadlines.

const story = JSON.parse(document.getElementById("story").textContent);
const { sides, files, texts } = story;

const steps = [];
const rounds = []; // each with `steps`, the numbers of its steps
const roundOf = []; // the number of a step's round in `rounds`
const stageOf = []; // of the loop, at a step: sleep, ready, callbacks or deadlines
const numbered = new Map(); // rounds by side and number: "0:42"

// changes[f]: the steps that changed file f. states[f]: its state from each of them on.
const changes = files.map(() => []);
const states = files.map(() => []);

// Where the buttons jump to: the steps with messages, with faults, and those that had to wait.
const landmarks = { message: [], fault: [], eagain: [] };

// With two sides the rounds overlap: a piece of the one, a piece of the other. The pieces of a
// round have the same number, and the last of them knows best what select() reported.
for (const piece of story.rounds) {
  const key = `${piece.side}:${piece.number}`;
  const begun = numbered.has(key);
  if (!begun) {
    numbered.set(key, rounds.length);
    rounds.push({ steps: [] });
  }
  const index = numbered.get(key);
  const round = Object.assign(rounds[index], piece);
  if (!begun && round.number && story.steps[round.first]?.call !== "select") {
    for (const step of selectOf(round)) add(step, round, index);
  }
  for (let i = round.first; i < round.last; i++) add(story.steps[i], round, index);
}

function add(step, round, index) {
  const number = steps.push(step) - 1;
  const before = stageOf[round.steps.at(-1)];
  round.steps.push(number);
  roundOf.push(index);
  stageOf.push(stageAfter(before, step.call, round));
  if (step.state) change(step.file, number, step.state);
  if (step.other) change(step.other[0], number, step.other[1]); // octets arrived: the sender's
  if (step.error === "EAGAIN") landmarks.eagain.push(number);
  const kind = kindOf(step);
  if (kind === "fault") landmarks.fault.push(number);
  if (kind === "message" || kind === "goodbye") landmarks.message.push(number);
}

function change(file, number, state) {
  changes[file].push(number);
  states[file].push(state);
}

function stageAfter(before, call, round) {
  if (!round.number) return "set-up";
  if (call === "select") return "sleep";
  if (call === "ready") return "ready";
  return call === "deadline" || before === "deadlines" || !round.ready.length
    ? "deadlines"
    : "callbacks";
}

// For a recorder that notes what select() did, but not as steps.
function selectOf({ t, woke, timeout, ready }) {
  const means = texts.push("The thread slept in the kernel until this came back.") - 1;
  const args = timeout === null ? "for ever" : duration(timeout);
  const result = ready.map(([file, mask]) => `${nameOf(file)}: ${mask}`).join(", ");
  return [
    { t, file: null, call: "select", args, result: "", means },
    { t: woke, file: null, call: "ready", args: "", result, means },
  ];
}

// What a step is drawn as: the gravest of what it brought about.
function kindOf(step) {
  for (const kind of ["fault", "message", "goodbye", "end"]) {
    if (step.events?.some((event) => event.kind === kind)) return kind;
  }
  return step.error ? "error" : "plain";
}

// Everything that depends on the position alone. nth: the step in its round, the first being 1.
function placeOf(number) {
  const index = roundOf[number];
  const round = rounds[index];
  const nth = lastAtMost(round.steps, number) + 1;
  return { number, index, round, nth, step: steps[number], stage: stageOf[number] };
}

// The place of the last entry of `sorted` that is at most `value`; -1 if there is none.
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

// The state of a file after a step; undefined as long as nothing is known of it.
function stateOf(file, number) {
  return states[file][lastAtMost(changes[file], number)];
}

// The address of a position, and back. What does not exist has no position.
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
