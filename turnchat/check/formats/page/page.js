"use strict";
// The filter of a report. Without it the page shows all cases, and failures are open.

const $ = (id) => document.getElementById(id);
const cases = [...document.querySelectorAll("details.case")];
const buttons = [...document.querySelectorAll("[data-show]")];
const SHORT = ["fail", "error", "warn"];

// The words of a case that the search looks at: its id, rule, reason and diagnosis.
const words = new Map(cases.map((one) => {
  const parts = one.querySelectorAll(".id, .rule, .reason, .diagnosis, .tag");
  return [one, [...parts].map((part) => part.textContent.toLowerCase()).join(" ")];
}));

const shown = () => cases.filter((one) => !one.hidden);

function filter() {
  const pressed = buttons.find((button) => button.ariaPressed === "true");
  const verdicts = pressed.dataset.show.split(" ").filter(Boolean);
  const group = $("group").value;
  const needles = $("search").value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const one of cases) {
    const fits = !verdicts.length || verdicts.includes(one.dataset.verdict);
    const isOfGroup = !group || one.parentElement.dataset.group === group;
    one.hidden = !fits || !isOfGroup || !needles.every((part) => words.get(one).includes(part));
  }
  for (const section of document.querySelectorAll("section.group")) {
    section.hidden = !section.querySelector("details.case:not([hidden])");
  }
  const number = shown().length;
  $("found").textContent = `${number} of ${cases.length} cases`;
  $("none").hidden = number > 0;
  nameFold();
}

function nameFold() {
  $("fold").textContent = shown().every((one) => one.open) ? "Close all" : "Open all";
}

function foldAll() {
  const open = shown().some((one) => !one.open);
  for (const one of shown()) one.open = open;
}

// Go to the next case that falls short, after the one that has the focus.
function next(back) {
  const short = shown().filter((one) => SHORT.includes(one.dataset.verdict));
  if (!short.length) return;
  const at = short.indexOf(document.activeElement.closest("details.case"));
  const step = back ? -1 : 1;
  const one = short[at < 0 && back ? short.length - 1 : (at + step + short.length) % short.length];
  one.open = true;
  one.firstElementChild.focus();
  one.scrollIntoView();
}

function changeTheme() {
  const { style } = document.documentElement;
  const preferred = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  style.colorScheme = (style.colorScheme || preferred) === "dark" ? "light" : "dark";
}

// A link to a case opens it, and leaves the filter if that hides it.
function openTarget() {
  const target = $(decodeURIComponent(location.hash.slice(1)));
  if (!target?.matches("details.case")) return;
  if (target.hidden) {
    press(buttons[0]);
    $("group").value = $("search").value = "";
    filter();
  }
  target.open = true;
  target.scrollIntoView();
}

// Without a link, the case to be mended first is in sight.
function showFirst() {
  const first = $(document.querySelector(".first a")?.hash.slice(1));
  const bottom = first?.firstElementChild.getBoundingClientRect().bottom;
  if (!location.hash && bottom > window.innerHeight) first.scrollIntoView();
}

function press(button) {
  for (const one of buttons) one.ariaPressed = String(one === button);
  filter();
}

for (const button of buttons) button.onclick = () => press(button);
$("group").onchange = $("search").oninput = filter;
$("filter").onsubmit = (event) => event.preventDefault();
$("next").onclick = (event) => next(event.shiftKey);
$("fold").onclick = foldAll;
$("theme").onclick = changeTheme;
for (const one of cases) one.addEventListener("toggle", nameFold);

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  if (event.key === "Escape" && event.target === $("search")) {
    $("search").value = "";
    filter();
    $("search").blur();
  }
  if (event.target.closest("input, select")) return;
  if (event.key === "/") {
    event.preventDefault();
    $("search").focus();
  } else if (event.key.toLowerCase() === "n") {
    next(event.shiftKey);
  }
});

window.addEventListener("hashchange", openTarget);
$("filter").hidden = false;
filter();
openTarget();
showFirst();
