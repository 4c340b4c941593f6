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

// Calls that only keep the books: the recorder notes them, and nothing happens at them.
const BOOKKEEPING = new Set(["open", "name"]);
const view = { isFolded: true }; // no such call is shown

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

// Errors after which a call is made again: they are no failures.
const LATER = ["EAGAIN", "EINPROGRESS", "EINTR", "SSLWantReadError", "SSLWantWriteError"];

// False for a program that calls no select().
const hasRounds = timeline.rounds.some(({ number }) => number);

// The targets of the jump buttons: steps with messages, with faults, with EAGAIN, with findings.
const landmarks = { message: [], fault: [], eagain: [], lint: [] };

// Findings by their steps.
const findings = timeline.findings ?? [];
const findingsAt = new Map();
for (const finding of findings) {
  if (!findingsAt.has(finding.step)) findingsAt.set(finding.step, []);
  findingsAt.get(finding.step).push(finding);
}
landmarks.lint.push(...[...findingsAt.keys()].sort((a, b) => a - b));

// Effects of sends of which the kernel has taken no byte, by file: the message leaves later.
const held = new Map();

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
  if (step.call === "send") settle(step);
  if (step.call === "ready") step.round = index; // it shows the files that are ready
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

// Move the effects of a send that took nothing to the send that does. A fault stays: it is made.
function settle(step) {
  const { file, effects = [], error } = step;
  const before = held.get(file) ?? [];
  if (error) {
    step.held = effects.filter(({ kind }) => kind !== "fault");
    step.effects = effects.filter(({ kind }) => kind === "fault");
    if (error !== "EAGAIN") return;
    before.push(...step.held); // in place: a loop may try for ever
    held.set(file, before);
  } else if (before.length) {
    step.effects = [...before, ...effects];
    held.delete(file);
  }
}

// The steps of a round that are shown: those that are not folded, and the present one.
function shownSteps(round, present) {
  if (!view.isFolded) return round.steps;
  round.unfolded ??= round.steps.filter(isShown);
  if (present === undefined || isShown(present)) return round.unfolded;
  const place = lastAtMost(round.unfolded, present) + 1;
  return [...round.unfolded.slice(0, place), present, ...round.unfolded.slice(place)];
}

function isShown(number) {
  return !view.isFolded || !BOOKKEEPING.has(steps[number].call) || findingsAt.has(number);
}

// The nearest step that is shown, from a step on; undefined if there is none. change: 1 or −1.
function shownFrom(number, change) {
  let target = number;
  while (target in steps && !isShown(target)) target += change;
  return target in steps ? target : undefined;
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
  if (!step.error) return "plain";
  return LATER.includes(step.error) ? "error" : "failed";
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

// Convert between positions and addresses.
function addressOf(number) {
  const { round, nth } = placeOf(number);
  const step = nth > 1 ? `&step=${nth}` : "";
  return `#round=${round.number}${step}${sides.length > 1 ? `&side=${round.side}` : ""}`;
}

// The step at an address; where there is none, the nearest one, and `notice`, which says so.
function positionAt(address) {
  if (address.length < 2) return { number: landmarks.message[0] ?? shownFrom(0, 1) ?? 0 };
  const asked = new URLSearchParams(address.slice(1));
  const side = asked.get("side") ?? "0";
  const round = rounds[numbered.get(`${side}:${asked.get("round")}`)];
  if (!round) return nearest(asked.get("round"), side);
  const nth = Math.max(1, Number.parseInt(asked.get("step") ?? "1", 10) || 1);
  const number = round.steps[Math.min(nth, round.steps.length) - 1];
  if (nth <= round.steps.length) return { number };
  return { number, notice: `${titleOf(round)} has no step ${nth}: this is its last.` };
}

function nearest(name, side) {
  const own = rounds.filter((round) => String(round.side) === side);
  if (!own.length || !/^[0-9]+$/.test(name ?? "")) {
    return { ...positionAt(""), notice: "The address of this page names no round of it." };
  }
  const number = Number(name);
  const round = own.find((each) => each.number >= number) ?? own.at(-1);
  const which = number > round.number ? "last" : "first after it";
  return {
    number: round.steps[0],
    notice: `There is no round ${number.toLocaleString("en")} here. This is the ${which}.`,
  };
}
