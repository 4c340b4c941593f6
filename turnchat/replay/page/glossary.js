"use strict";
// The glossary: words of the field are underlined where a step is explained. A popover explains
// them, on hover, on focus and on a click. Escape closes it.

const glossary = JSON.parse($("glossary").textContent);
const meanings = new Map(); // entries by each of their forms, in lower case
for (const entry of glossary) {
  for (const form of [entry.term, ...entry.forms]) meanings.set(form.toLowerCase(), entry);
}

// The longest forms come first, so that "read buffer" is not taken for "read". Quoted messages are
// skipped: a peer's words are not ours.
const FORMS = [...meanings.keys()].sort((a, b) => b.length - a.length)
  .map((form) => form.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
const ANY = FORMS.join("|") || "$^"; // of no form
const TERM = new RegExp(`“[^”]*”|(?<![\\w-])(?:${ANY})(?![\\w-])`, "gi");

// Words as nodes: the first use of each term is a button.
function explained(words) {
  const nodes = [];
  const seen = new Set();
  let end = 0;
  for (const { 0: form, index } of words.matchAll(TERM)) {
    const entry = meanings.get(form.toLowerCase());
    if (!entry || seen.has(entry)) continue;
    seen.add(entry);
    // No line begins with the full stop after a term.
    const [stop] = /^[.,;:)]*/.exec(words.slice(index + form.length));
    const term = make("span", { className: "glued" }, termOf(form, entry), stop);
    nodes.push(words.slice(end, index), term);
    end = index + form.length + stop.length;
  }
  return [...nodes, words.slice(end)];
}

function termOf(form, entry) {
  const term = make("button", { className: "term", textContent: form });
  term.onpointerenter = term.onfocus = () => showMeaning(term, entry);
  term.onclick = () => (bubble.hidden ? showMeaning(term, entry) : hideMeaning());
  term.onpointerleave = (event) => {
    if (!bubble.contains(event.relatedTarget)) hideMeaning();
  };
  term.onblur = hideMeaning;
  return term;
}

const bubble = $("gloss");
bubble.onpointerleave = hideMeaning;
let meant = null; // the term that the popover explains

// Plain text with code between backticks, as nodes.
function prose(words) {
  return words.split("`").map((part, i) => (i % 2 ? text("code", "", part) : part));
}

function showMeaning(term, entry) {
  hideMeaning();
  meant = term;
  bubble.replaceChildren(make("b", { textContent: entry.term }), " ", ...prose(entry.text),
    text("small", "", entry.chapter ? `Guide, chapter ${entry.chapter}` : ""));
  bubble.hidden = false;
  term.setAttribute("aria-describedby", "gloss");
  const [at, size] = [term.getBoundingClientRect(), bubble.getBoundingClientRect()];
  const left = Math.max(8, Math.min(at.left, innerWidth - size.width - 8));
  const below = at.bottom + size.height + 8 < innerHeight || at.top < size.height + 8;
  bubble.style.left = `${left + scrollX}px`;
  bubble.style.top = `${scrollY + (below ? at.bottom : at.top - size.height)}px`;
}

function hideMeaning() {
  meant?.removeAttribute("aria-describedby");
  meant = null;
  bubble.hidden = true;
}

// All words of this page are in the help as well, for touch screens and for reading on.
$("words-title").hidden = !glossary.length;
$("words").append(...glossary.flatMap((entry) => [
  make("dt", { textContent: entry.term }), make("dd", {}, ...prose(entry.text)),
]));
for (const title of document.querySelectorAll("h2[id]")) {
  if (title.closest(".panels")) title.replaceChildren(...explained(title.textContent));
}
