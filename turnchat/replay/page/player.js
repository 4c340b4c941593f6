"use strict";
// The position: buttons, keys, the address, playing. Every move to another step goes through go().

let now = 0; // the step that is shown
let playing; // the timer while it plays
// A browser ignores a page that writes its address too often, so a run of steps writes it once.
let unwritten; // the timer of that write

const roundSteps = new VirtualList($("steps"), 1.7, stepRow);
let shownRows = []; // the steps of the round that are shown

function stepRow(i) {
  const number = shownRows[i];
  const step = steps[number];
  const flags = { ahead: number > now, found: findingsAt.has(number) };
  const className = classes(`step ${kindOf(step)}`, flags);
  return make("button", { className, onclick: () => go(number, { jump: true }) },
    text("span", "nth", placeOf(number).nth),
    text("span", "did", callOf(step)),
    text("span", "gave", resultOf(step)));
}

function drawNow({ number, round, nth, step, stage }) {
  $("place").replaceChildren(text("b", "", titleOf(round)),
    ` · step ${nth} of ${round.steps.length} · ${step.t.toFixed(6)} s`);
  for (const item of $("stages").children) {
    item.ariaCurrent = item.dataset.stage === stage ? "step" : null;
  }
  $("slept").replaceChildren(...explained(hasRounds ? sentence(round.slept) : ROUNDLESS));
  const result = resultOf(step);
  const took = step.took && text("span", "took", ` took ${milliseconds(step.took)}`);
  const call = [callOf(step), text("span", "result", result && ` = ${result}`), took ?? ""];
  $("call").replaceChildren(...call);
  $("call").className = kindOf(step);
  const { data = "", size = data.length, file } = step;
  const isStream = files[file]?.kind === "stream";
  $("data").replaceChildren(cells(data, step.spans ?? [], size, isStream));
  $("data").tabIndex = data.length > 20 ? 0 : -1; // it may have to be scrolled
  $("explanation").replaceChildren(make("b", {}, ...explained(sentence(step.effect ?? ""))), " ",
    ...explained(texts[step.explanation]));
  shownRows = shownSteps(round, number);
  roundSteps.show(shownRows.length, lastAtMost(shownRows, number));
  const hidden = round.steps.length - shownSteps(round).length;
  $("folded").hidden = view.isFolded && !hidden;
  $("folded").textContent = view.isFolded ? `show ${hidden} more` : "fold bookkeeping";
}

const ROUNDLESS = "This program calls no select(): each call waits by itself.";

const milliseconds = (seconds) => `${Number((seconds * 1000).toPrecision(3))} ms`;

// jump: true if the browser's back button should lead back here. A single step is no jump.
function go(number, { jump = false, keepPlaying = false } = {}) {
  if (!keepPlaying) pause();
  if (jump) writeAddress();
  clearTimeout(unwritten);
  say("");
  now = Math.max(0, Math.min(steps.length - 1, number));
  refresh();
  if (jump) history.pushState(null, "", addressOf(now));
  else unwritten = setTimeout(writeAddress, 150);
}

function refresh() {
  const place = placeOf(now);
  hideMeaning();
  drawNow(place);
  drawCode(place);
  drawFindings(place);
  drawStrips(place);
  drawInterest(place);
  drawConnections(place);
  drawSequence(place);
  showFound();
}

function writeAddress() {
  if (location.hash !== addressOf(now)) history.replaceState(null, "", addressOf(now));
}

function goToAddress() {
  clearTimeout(unwritten);
  pause();
  const { number, notice = "" } = positionAt(location.hash);
  now = number;
  say(notice);
  refresh();
}

// Say that the page shows another place than the address asked for.
function say(notice) {
  if ($("notice").textContent === notice) return;
  $("notice").textContent = notice;
  $("notice").hidden = !notice;
}

// Go to the next step that is shown, or to the one before.
function goStep(change, options) {
  const target = shownFrom(now + change, change);
  if (target !== undefined) go(target, options);
  return target;
}

function fold() {
  view.isFolded = !view.isFolded;
  refresh();
}

// From inside a round, back leads to its beginning first, as in a music player.
function goRound(change) {
  const { index, nth } = placeOf(now);
  const target = change < 0 && nth > 1 ? index : index + change;
  const round = rounds[Math.max(0, Math.min(rounds.length - 1, target))];
  go(shownSteps(round)[0] ?? round.steps[0]);
}

// Go to the next of `targets`, or to the one before.
function jumpAmong(targets, back) {
  const place = back ? lastAtMost(targets, now - 1) : lastAtMost(targets, now) + 1;
  if (place in targets) go(targets[place], { jump: true });
}

function play() {
  pause();
  if (shownFrom(now + 1, 1) === undefined) go(shownFrom(0, 1) ?? 0);
  const tick = () => goStep(1, { keepPlaying: true }) ?? pause();
  playWith(setInterval(tick, 1000 / Number($("speed").value)));
}

function pause() {
  clearInterval(playing);
  playWith(undefined);
}

function playWith(timer) {
  playing = timer;
  $("play").classList.toggle("playing", playing !== undefined);
  $("play").ariaLabel = playing === undefined ? "Play" : "Pause";
}

let zoom = 100; // percent of the browser's own size
function resize(change) {
  zoom = Math.max(70, Math.min(200, zoom + change));
  document.documentElement.style.fontSize = `${zoom}%`;
  measureStrips();
  refresh();
}

function changeTheme() {
  const { style } = document.documentElement;
  const preferred = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  style.colorScheme = (style.colorScheme || preferred) === "dark" ? "light" : "dark";
}

// The actions: the id of the button or null, the key or null, and the function.
const actions = [
  ["back", "ArrowLeft", () => goStep(-1)],
  ["step", "ArrowRight", () => goStep(1)],
  ["round-back", "ArrowUp", () => goRound(-1)],
  ["round", "ArrowDown", () => goRound(1)],
  ["play", " ", () => (playing === undefined ? play() : pause())],
  ["smaller", null, () => resize(-10)],
  ["larger", null, () => resize(10)],
  ["theme", null, changeTheme],
  ["help", "?", () => $("keys").showModal()],
  [null, "/", () => field.focus()],
  ["folded", "b", fold],
  [null, "Home", () => go(shownFrom(0, 1) ?? 0)],
  [null, "End", () => go(shownFrom(steps.length - 1, -1) ?? steps.length - 1)],
];
for (const [id, targets] of Object.entries(landmarks)) {
  actions.push([id, id[0], (event) => jumpAmong(targets, event.shiftKey)]); // m, f, e, l
  $(id).querySelector("small").textContent = targets.length.toLocaleString("en");
  $(id).disabled = !targets.length;
}
for (const [id, , action] of actions) if (id) $(id).onclick = action;
const keys = new Map(actions.map(([, key, action]) => [key, action]));
$("speed").onchange = () => {
  if (playing !== undefined) play();
};

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") hideMeaning();
  const typing = event.target.closest("input, select, dialog");
  const presses = event.key === " " && event.target.closest("button, summary");
  if (typing || presses || event.ctrlKey || event.altKey || event.metaKey) return;
  const action = keys.get(event.key.length === 1 ? event.key.toLowerCase() : event.key);
  if (!action) return;
  event.preventDefault(); // arrows and the space bar would also scroll
  action(event);
});

// A click does not move the focus. Otherwise the space bar would press that button again.
document.addEventListener("mousedown", (event) => {
  if (event.target.closest("button")) event.preventDefault();
});

// Dragging works in the overview only: the detail would move away under the pointer.
function follow(event, number) {
  if (!event.buttons || number === undefined || number === now) return;
  go(number, { jump: event.type === "pointerdown" });
}
detail.svg.addEventListener("pointerdown", (event) => follow(event, positionInDetail(event)));
for (const type of ["pointerdown", "pointermove"]) {
  overview.svg.addEventListener(type, (event) => follow(event, positionInOverview(event)));
}

window.addEventListener("hashchange", goToAddress);
new ResizeObserver(() => {
  measureStrips();
  drawStrips(placeOf(now));
}).observe($("strips"));

document.body.classList.toggle("two-sided", sides.length > 1);
document.body.classList.toggle("no-rounds", !hasRounds);
document.body.classList.toggle("sourceless", !Object.keys(sources).length);
document.title = `${timeline.title} – turnchat`;
$("title").textContent = $("title").title = timeline.title;
if (steps.length < timeline.total) {
  const [shown, all] = [steps.length, timeline.total].map((number) => number.toLocaleString("en"));
  $("part").textContent = `${shown} of ${all} steps${timeline.is_cut ? ", the most that fit" : ""}`;
  $("part").title = "turnchat-replay shows other rounds with --rounds FROM-TO";
  $("part").hidden = false;
}
measureStrips();
goToAddress();
if (location.hash.length < 2 && !remembered()) openTour();
performance.mark("ready");
