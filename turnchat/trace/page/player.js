"use strict";
// The position: buttons, keys, the address, playing. Every way to another step leads through go().

const $ = (id) => document.getElementById(id);
let now = 0; // the step that is shown
let playing; // the timer while it plays

// --- What is said of the present step ---------------------------------------------------------

const roundSteps = new VirtualList($("steps"), 1.8, stepRow);

function stepRow(i) {
  const { round, nth } = placeOf(now);
  const number = round.steps[i];
  const row = make("button", { className: `step ${kindOf(steps[number])}` },
    text("span", "nth", i + 1),
    text("span", "did", callOf(steps[number])),
    text("span", "gave", resultOf(steps[number])));
  row.classList.toggle("ahead", i >= nth);
  row.addEventListener("click", () => go(number, { jump: true }));
  return row;
}

function drawNow({ number, round, nth, step, stage }) {
  $("place").replaceChildren(text("b", "", titleOf(round)),
    ` · step ${nth} of ${round.steps.length} · ${step.t.toFixed(6)} s`);
  for (const item of $("stages").children) {
    item.ariaCurrent = item.dataset.stage === stage ? "step" : null;
  }
  $("slept").textContent = sleepOf(round);
  const result = resultOf(step);
  $("call").replaceChildren(callOf(step), text("span", "result", result && ` = ${result}`));
  $("call").classList.toggle("error", step.error !== undefined);
  $("octets").replaceChildren(cells(step.octets ?? "", beginsFrame(step, number) ? HEADER : 0));
  $("means").replaceChildren(text("b", "", step.now ?? ""), ` ${texts[step.means]}`);
  $("where").textContent = texts[step.where] ?? "";
  roundSteps.show(round.steps.length, nth - 1);
}

// Whether the octets of a call begin with a header, which is marked then.
function beginsFrame({ file, call }, number) {
  if (file === null || files[file].kind !== "connection") return false;
  const before = stateOf(file, number - 1);
  return call === "send" ? !before?.unsent : !before?.buffer;
}

// --- Going somewhere --------------------------------------------------------------------------

// jump: to a place that the browser's back button should come back from. A single step is not one.
function go(number, { jump = false, keepPlaying = false } = {}) {
  if (!keepPlaying) pause();
  if (!steps.length) return;
  if (jump) writeAddress();
  now = Math.max(0, Math.min(steps.length - 1, number));
  refresh();
  if (jump) history.pushState(null, "", addressOf(now));
  else writeAddressSoon();
}

function refresh() {
  if (!steps.length) return; // nothing was recorded
  const place = placeOf(now);
  drawNow(place);
  drawTimeline(place);
  drawFiles(place);
  drawSequence(place);
  showFound();
}

// A browser ignores a page that writes its address too often, so a run of steps writes it once.
let unwritten;
function writeAddressSoon() {
  clearTimeout(unwritten);
  unwritten = setTimeout(writeAddress, 150);
}

function writeAddress() {
  clearTimeout(unwritten);
  if (location.hash !== addressOf(now)) history.replaceState(null, "", addressOf(now));
}

function goToAddress() {
  clearTimeout(unwritten);
  pause();
  now = positionAt(location.hash) ?? now;
  refresh();
}

// Back from inside a round leads to its beginning first, as in a music player.
function goRound(change) {
  const { index, nth } = placeOf(now);
  const target = change < 0 && nth > 1 ? index : index + change;
  go(rounds[Math.max(0, Math.min(rounds.length - 1, target))].steps[0]);
}

// To the next of some steps, or the one before.
function jumpAmong(targets, back) {
  const place = back ? lastAtMost(targets, now - 1) : lastAtMost(targets, now) + 1;
  const target = targets[place];
  if (target !== undefined) go(target, { jump: true });
}

// --- Playing ----------------------------------------------------------------------------------

function play() {
  if (now === steps.length - 1) go(0);
  const tick = () => (now < steps.length - 1 ? go(now + 1, { keepPlaying: true }) : pause());
  playing = setInterval(tick, 1000 / Number($("speed").value));
  showPlaying();
}

function pause() {
  if (playing === undefined) return;
  clearInterval(playing);
  playing = undefined;
  showPlaying();
}

function showPlaying() {
  $("play").classList.toggle("playing", playing !== undefined);
  $("play").ariaLabel = playing === undefined ? "Play" : "Pause";
}

function changeSpeed() {
  if (playing === undefined) return;
  pause();
  play();
}

// --- Appearance -------------------------------------------------------------------------------

let zoom = 100; // percent of the browser's own size
function resize(change) {
  zoom = Math.max(70, Math.min(200, zoom + change));
  document.documentElement.style.fontSize = `${zoom}%`;
  measureTimeline();
  refresh();
}

function changeTheme() {
  const { style } = document.documentElement;
  const preferred = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  style.colorScheme = (style.colorScheme || preferred) === "dark" ? "light" : "dark";
}

// --- Buttons and keys -------------------------------------------------------------------------

const actions = {
  back: () => go(now - 1),
  step: () => go(now + 1),
  "round-back": () => goRound(-1),
  round: () => goRound(1),
  play: () => (playing === undefined ? play() : pause()),
  message: (event) => jumpAmong(landmarks.message, event.shiftKey),
  fault: (event) => jumpAmong(landmarks.fault, event.shiftKey),
  eagain: (event) => jumpAmong(landmarks.eagain, event.shiftKey),
  smaller: () => resize(-10),
  larger: () => resize(10),
  theme: changeTheme,
  help: () => $("keys").showModal(),
};
for (const [id, action] of Object.entries(actions)) $(id).addEventListener("click", action);
for (const [id, targets] of Object.entries(landmarks)) {
  $(id).querySelector("small").textContent = targets.length.toLocaleString("en");
  $(id).disabled = !targets.length;
}
$("speed").addEventListener("change", changeSpeed);

const keys = {
  ArrowLeft: actions.back,
  ArrowRight: actions.step,
  ArrowUp: actions["round-back"],
  ArrowDown: actions.round,
  " ": actions.play,
  Home: () => go(0),
  End: () => go(steps.length - 1),
  "/": () => field.focus(),
  "?": actions.help,
  m: actions.message,
  f: actions.fault,
  e: actions.eagain,
};

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, select, dialog");
  const presses = event.key === " " && event.target.closest("button");
  if (typing || presses || event.ctrlKey || event.altKey || event.metaKey) return;
  const action = keys[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (!action) return;
  event.preventDefault(); // the arrows and the space bar would scroll, too
  action(event);
});

// A click leaves the focus where it is: else the space bar would press that button again.
document.addEventListener("mousedown", (event) => {
  if (event.target.closest("button")) event.preventDefault();
});

// In the overview one can drag; in the detail what is under the pointer would move away.
function follow(event, number) {
  if (number !== undefined && number !== now) go(number, { jump: event.type === "pointerdown" });
}
detail.svg.addEventListener("pointerdown", (event) => follow(event, positionInDetail(event)));
for (const type of ["pointerdown", "pointermove"]) {
  overview.svg.addEventListener(type, (event) => {
    if (event.buttons) follow(event, positionInOverview(event));
  });
}

window.addEventListener("hashchange", goToAddress);
new ResizeObserver(() => {
  measureTimeline();
  drawTimeline(placeOf(now));
}).observe($("timeline"));

document.body.classList.toggle("two-sided", sides.length > 1);
document.title = `${story.title} – turnchat`;
$("title").textContent = story.title;
now = positionAt(location.hash) ?? 0;
measureTimeline();
refresh();
performance.mark("ready");
