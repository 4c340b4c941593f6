"use strict";
// The search: in the names of files, in messages, in calls with their arguments and results.

const field = $("search");
const panel = $("found");
let haystacks; // made by the first search, because most visits have none
let found = []; // the numbers of matching steps
const results = new VirtualList($("found-list"), 1.9, foundRow);

const messagesOf = ({ effects = [] }) => effects.map((effect) => effect.text).join(" ");

function search() {
  haystacks ??= steps.map((step) =>
    `${callOf(step)} ${nameOf(step.file)} ${resultOf(step)} ${messagesOf(step)}`.toLowerCase());
  const needle = field.value.trim().toLowerCase();
  found = needle ? haystacks.flatMap((text, i) => (text.includes(needle) ? [i] : [])) : [];
  panel.hidden = !needle;
  showFound();
}

function showFound() {
  if (panel.hidden) return;
  const nth = lastAtMost(found, now);
  const words = found[nth] === now
    ? `${(nth + 1).toLocaleString("en")} of ${some(found.length, "step")}`
    : `${some(found.length, "step")}; Enter goes to the next`;
  $("found-count").textContent = found.length ? words : "nothing found";
  results.box.style.height = `${Math.min(found.length, 9) * results.height}rem`;
  results.show(found.length, nth);
}

function foundRow(i) {
  const { round, step } = placeOf(found[i]);
  return make("button", { onclick: () => go(found[i], { jump: true }) },
    text("span", "when", titleOf(round)),
    text("span", "", `${callOf(step)} = ${resultOf(step)}`),
    text("span", "said", messagesOf(step)));
}

field.oninput = search;
field.onfocus = () => {
  field.select();
  search();
};
document.querySelector(".search").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && event.target === field) jumpAmong(found, event.shiftKey);
  if (event.key !== "Escape") return;
  event.preventDefault(); // Escape would also empty the field
  panel.hidden = true;
  document.activeElement.blur();
});
document.addEventListener("pointerdown", (event) => {
  if (!event.target.closest(".search")) panel.hidden = true;
});
