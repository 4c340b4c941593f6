"use strict";
// The tour of the page for those who see it for the first time: what a round is, and the four parts
// of the page. It opens by itself once, unless the address leads to a step.

const TOUR = [
  [null, "One thread, round after round",
    "This page replays what a program did, call by call. Its loop has one thread, and works in "
    + "rounds. In each round it sleeps in select() until a file is ready. Then it runs the "
    + "callbacks of the ready files, and the timers that are due. A program without select() has "
    + "no rounds: all its calls are in one column."],
  ["#strips", "The rounds",
    "Each column is a round, and each box in it a call. Blue is a message. Click one to go "
    + "there. The row of bars above has one for each round, in the colour of its gravest call. "
    + "The arrow keys ← and → go from call to call, ↑ and ↓ from round to round, and m to the "
    + "next message."],
  ["#now", "The present call",
    "The call, its bytes, and what it means. Beside it is the function that made the call, with "
    + "its line lit. Words with a dotted line are explained when you point at them."],
  ["#loop, #files", "What the loop knows",
    "The calls of this round, and the interest set: the files that select() watches. Beside them "
    + "is each connection: what waits in its buffers, and whose turn it is."],
  ["#conversation", "The conversation",
    "The same story as messages. Time runs down. Each vertical line is a peer, the loop, or a "
    + "stream such as the keyboard. Click an arrow to go to its call. Help has this tour again."],
];
const SEEN = "turnchat-tour";

const tour = $("tour");
let card = 0;

// The browser may forbid storage, for a file as well. Then the tour is not remembered.
function remembered() {
  try {
    return localStorage.getItem(SEEN) !== null;
  } catch {
    return false;
  }
}

function remember() {
  try {
    localStorage.setItem(SEEN, "seen");
  } catch { /* it opens again */ }
}

function openTour() {
  pause();
  if ($("keys").open) $("keys").close();
  tour.showModal();
  showCard(0);
}

function showCard(nth) {
  card = nth;
  const [part, title, words] = TOUR[card];
  $("tour-count").textContent = `${card + 1} of ${TOUR.length}`;
  $("tour-title").textContent = title;
  $("tour-text").textContent = words;
  $("tour-back").disabled = card === 0;
  $("tour-next").textContent = card === TOUR.length - 1 ? "Done" : "Next";
  $("tour-next").focus();
  placeTour(part ? [...document.querySelectorAll(part)] : []);
}

// Put a frame around neighbouring parts of the page, and the card beside it. On a small screen they
// are one below the other, and only the first one is framed.
function placeTour(parts) {
  $("spot").hidden = !parts.length;
  tour.classList.toggle("spotting", parts.length > 0);
  tour.style.inset = "";
  if (!parts.length) return;
  parts[0].scrollIntoView({ block: "nearest" });
  const [first, last = first] = parts.map((part) => part.getBoundingClientRect());
  const isRow = last.top === first.top;
  const at = new DOMRect(first.left, first.top,
    isRow ? last.right - first.left : first.width, first.height);
  Object.assign($("spot").style, {
    left: `${at.left + scrollX}px`, top: `${at.top + scrollY}px`,
    width: `${at.width}px`, height: `${at.height}px`,
  });
  const { width, height } = tour.getBoundingClientRect();
  const gap = 12;
  const beside = at.right + width + gap < innerWidth ? at.right + gap
    : at.left > width + gap ? at.left - width - gap : null;
  const under = at.bottom + height + gap < innerHeight ? at.bottom + gap : at.top - height - gap;
  const left = beside ?? Math.max(gap, Math.min(at.left, innerWidth - width - gap));
  const top = beside === null ? under : at.top;
  const most = innerHeight - height - gap;
  tour.style.inset = `${Math.max(gap, Math.min(top, most))}px auto auto ${left}px`;
}

$("tour-next").onclick = () => (card < TOUR.length - 1 ? showCard(card + 1) : tour.close());
$("tour-back").onclick = () => showCard(card - 1);
$("tour-skip").onclick = () => tour.close();
$("tour-again").onclick = openTour;
tour.addEventListener("close", () => {
  $("spot").hidden = true;
  remember();
});
tour.addEventListener("keydown", (event) => {
  const change = { ArrowLeft: -1, ArrowRight: 1 }[event.key] ?? 0;
  if (change && card + change in TOUR) showCard(card + change);
});
window.addEventListener("resize", () => {
  if (tour.open) showCard(card);
});
