"use strict";
// Sort the table of a class by a column. Without this it stands in the order of the ids.

const table = document.getElementById("students");
const body = table.tBodies[0];
const heads = [...table.tHead.rows[0].cells];

// Numbers are compared as numbers, and names as people sort them.
const collator = new Intl.Collator(undefined, { numeric: true });

function sortBy(head) {
  const descending = head.ariaSort === "ascending";
  for (const one of heads) one.ariaSort = "none";
  head.ariaSort = descending ? "descending" : "ascending";
  const value = (row) => row.cells[heads.indexOf(head)].dataset.value;
  const rows = [...body.rows].sort((a, b) => collator.compare(value(a), value(b)));
  body.append(...(descending ? rows.reverse() : rows));
}

for (const head of heads) {
  const button = document.createElement("button");
  // The blank behind a name stays outside: the arrow would stand on a line of its own.
  const name = head.firstChild.data.trim();
  button.append(name);
  head.firstChild.data = head.firstChild.data.slice(name.length);
  button.onclick = () => sortBy(head);
  head.prepend(button);
}
