"use strict";
// The position: buttons, keys, the address, playing. Every move to another step goes through go().

let now = 0; // the step that is shown
let playing; // the timer while it plays
// A browser ignores a page that writes its address too often, so a run of steps writes it once.
let unwritten; // the timer of that write

const roundSteps = new VirtualList($("steps"), 1.8, stepRow);

function stepRow(i) {
  const { round, nth } = placeOf(now);
  const number = round.steps[i];
  const step = steps[number];
  const className = classes(`step ${kindOf(step)}`, { ahead: i >= nth });
  return make("button", { className, onclick: () => go(number, { jump: true }) },
    text("span", "nth", i + 1),
    text("span", "did", callOf(step)),
    text("span", "gave", resultOf(step)));
}

function drawNow({ number, round, nth, step, stage }) {
  $("place").replaceChildren(text("b", "", titleOf(round)),
    ` · step ${nth} of ${round.steps.length} · ${step.t.toFixed(6)} s`);
  for (const item of $("stages").children) {
    item.ariaCurrent = item.dataset.stage === stage ? "step" : null;
  }
  $("slept").textContent = round.slept;
  const result = resultOf(step);
  $("call").replaceChildren(callOf(step), text("span", "result", result && ` = ${result}`));
  $("call").classList.toggle("error", step.error !== undefined);
  const { data = "", size = data.length } = step;
  $("data").replaceChildren(cells(data, headOf(step, number), size));
  const explanation = ` ${texts[step.explanation]}`;
  $("explanation").replaceChildren(text("b", "", step.effect ?? ""), explanation);
  $("where").textContent = texts[step.where] ?? "";
  roundSteps.show(round.steps.length, nth - 1);
}

// The size of the header with which the bytes of a call begin. It is marked. TLS records bring it
// along, and a PROXY header is no header of a frame.
function headOf({ file, call, head }, number) {
  if (head !== undefined) return head;
  if (file === null || files[file].kind !== "connection" || call === "header") return 0;
  const before = stateOf(file, number - 1);
  const isInside = call === "send" ? before?.unsent : call !== "encrypt" && before?.buffer;
  return isInside ? 0 : HEADER;
}

// jump: true if the browser's back button should lead back here. A single step is no jump.
function go(number, { jump = false, keepPlaying = false } = {}) {
  if (!keepPlaying) pause();
  if (jump) writeAddress();
  clearTimeout(unwritten);
  now = Math.max(0, Math.min(steps.length - 1, number));
  refresh();
  if (jump) history.pushState(null, "", addressOf(now));
  else unwritten = setTimeout(writeAddress, 150);
}

function refresh() {
  const place = placeOf(now);
  drawNow(place);
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
  now = positionAt(location.hash) ?? now;
  refresh();
}

// From inside a round, back leads to its beginning first, as in a music player.
function goRound(change) {
  const { index, nth } = placeOf(now);
  const target = change < 0 && nth > 1 ? index : index + change;
  go(rounds[Math.max(0, Math.min(rounds.length - 1, target))].steps[0]);
}

// Go to the next of `targets`, or to the one before.
function jumpAmong(targets, back) {
  const place = back ? lastAtMost(targets, now - 1) : lastAtMost(targets, now) + 1;
  if (place in targets) go(targets[place], { jump: true });
}

function play() {
  pause();
  if (now === steps.length - 1) go(0);
  const tick = () => (now < steps.length - 1 ? go(now + 1, { keepPlaying: true }) : pause());
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
  ["back", "ArrowLeft", () => go(now - 1)],
  ["step", "ArrowRight", () => go(now + 1)],
  ["round-back", "ArrowUp", () => goRound(-1)],
  ["round", "ArrowDown", () => goRound(1)],
  ["play", " ", () => (playing === undefined ? play() : pause())],
  ["smaller", null, () => resize(-10)],
  ["larger", null, () => resize(10)],
  ["theme", null, changeTheme],
  ["help", "?", () => $("keys").showModal()],
  [null, "/", () => field.focus()],
  [null, "Home", () => go(0)],
  [null, "End", () => go(steps.length - 1)],
];
for (const [id, targets] of Object.entries(landmarks)) {
  actions.push([id, id[0], (event) => jumpAmong(targets, event.shiftKey)]); // m, f, e
  $(id).querySelector("small").textContent = targets.length.toLocaleString("en");
  $(id).disabled = !targets.length;
}
for (const [id, , action] of actions) if (id) $(id).onclick = action;
const keys = new Map(actions.map(([, key, action]) => [key, action]));
$("speed").onchange = () => {
  if (playing !== undefined) play();
};

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, select, dialog");
  const presses = event.key === " " && event.target.closest("button");
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
document.title = `${timeline.title} – turnchat`;
$("title").textContent = timeline.title;
if (steps.length < timeline.total) {
  const [shown, all] = [steps.length, timeline.total].map((number) => number.toLocaleString("en"));
  $("part").textContent = `${shown} of ${all} steps${timeline.is_cut ? ", the most that fit" : ""}`;
  $("part").title = "turnchat-replay shows other rounds with --rounds FROM-TO";
  $("part").hidden = false;
}
measureStrips();
goToAddress();
performance.mark("ready");
