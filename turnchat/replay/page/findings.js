"use strict";
// Findings: mistakes of the loop, or of its peers, that the recording shows. All are in a list, and
// each is explained at its step, with the way to mend it.

const findingsBox = $("findings");
const findingsList = new VirtualList($("findings-list"), 1.9, findingRow);

findingsBox.hidden = !findings.length;
findingsBox.querySelector("summary").textContent = summaryOf(findings);
findingsBox.ontoggle = () => drawFindings(placeOf(now));

// The mistakes of the loop, and those of its peers, which are notes.
function summaryOf(all) {
  const own = all.filter(({ ours }) => ours).length;
  const words = [];
  const what = own === 1 ? "a mistake" : "mistakes";
  if (own) words.push(`${some(own, "finding")}: ${what} of this loop`);
  if (own < all.length) words.push(`${some(all.length - own, "note")}: what a peer did wrong`);
  return words.join("; ");
}

function findingRow(i) {
  const { step, text: words } = findings[i];
  return make("button", { onclick: () => go(step, { jump: true }) },
    text("span", "when", titleOf(placeOf(step).round)), text("span", "", words));
}

function drawFindings({ number }) {
  const here = findingsAt.get(number) ?? [];
  $("finding").hidden = !here.length;
  $("finding").replaceChildren(...here.flatMap(({ text: words, why, mend }) => [
    make("h2", { textContent: sentence(words) }),
    make("p", {}, ...explained(why)),
    make("p", {}, make("b", { textContent: "To mend it: " }), ...prose(mend)),
  ]));
  if (findingsBox.open) {
    const height = Math.min(findings.length, 6) * findingsList.height;
    findingsList.box.style.height = `${height}rem`;
    findingsList.show(findings.length, findings.indexOf(here[0]));
  }
}
