"use strict";
// The recording, and what was the case at each of its steps.
//
// A position is the number of a step. Rounds are made of steps too: the first is the call of
// select(), the second is what it reported, and then come the callbacks and the deadlines.

const story = JSON.parse($("story").textContent);
const { sides, files, texts, steps } = story;

const rounds = []; // each with `steps`, the numbers of its steps
const roundOf = []; // the number of a step's round in `rounds`
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
  if (!numbered.has(key)) numbered.set(key, rounds.push({ steps: [] }) - 1);
  const index = numbered.get(key);
  Object.assign(rounds[index], piece);
  for (let number = piece.first; number < piece.last; number++) add(number, index);
}

function add(number, index) {
  const step = steps[number];
  rounds[index].steps.push(number);
  roundOf[number] = index;
  // Octets that arrived change the state of the other end, too: of the sender's.
  for (const [file, state] of [[step.file, step.state], step.other ?? []]) {
    if (!state) continue;
    changes[file].push(number);
    states[file].push(state);
  }
  if (step.error === "EAGAIN") landmarks.eagain.push(number);
  const kind = kindOf(step);
  landmarks[kind === "goodbye" ? "message" : kind]?.push(number);
}

// What the loop is at in the nth step of a round, which begins with select and ready.
function stageAt(round, nth) {
  if (!round.number) return "set-up";
  if (nth <= 2) return nth === 1 ? "sleep" : "ready";
  const isLate = round.steps.slice(2, nth).some((number) => steps[number].call === "deadline");
  return isLate || !round.ready.length ? "deadlines" : "callbacks";
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
  return { number, index, round, nth, step: steps[number], stage: stageAt(round, nth) };
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
