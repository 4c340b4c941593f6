"use strict";
// The rounds as two strips: the overview of all rounds, and the detail around the position.
//
// All steps of a kind are one SVG path, so drawing a hundred rounds costs as much as drawing twenty
// thousand. A column of pixels in the overview may stand for many rounds. Its colour is that of
// their gravest effect.

const SVG = "http://www.w3.org/2000/svg";
// By gravity.
const KINDS = ["sleep", "plain", "error", "end", "message", "goodbye", "failed", "fault"];
const BOX = 6; // pixels; the height of a step
const MARK = 3; // pixels; the height of the mark of a finding
const COLUMN = [14, 48]; // pixels; the least and the greatest width of a round in the detail

class Strip {
  constructor(id) {
    this.svg = $(id);
    this.paths = {};
    for (const kind of [...KINDS, "finding", "here"]) {
      this.paths[kind] = document.createElementNS(SVG, "path");
      this.paths[kind].setAttribute("class", kind);
      this.svg.append(this.paths[kind]);
    }
  }

  // Replace the drawing of these kinds by rectangles: [kind, x, y, width, height].
  draw(kinds, rectangles) {
    const drawn = Object.fromEntries(kinds.map((kind) => [kind, ""]));
    for (const [kind, x, y, w, h] of rectangles) drawn[kind] += `M${x} ${y}h${w}v${h}h${-w}z`;
    for (const kind of kinds) this.paths[kind].setAttribute("d", drawn[kind]);
  }
}

const overview = new Strip("overview");
const detail = new Strip("detail");
const most = rounds.reduce((highest, round) => Math.max(highest, round.steps.length), 1);
const findingRounds = new Set(landmarks.lint.map((number) => rounds[roundOf[number]]));
let firstInDetail = 0;

function measureStrips() {
  for (const strip of [overview, detail]) {
    ({ width: strip.width, height: strip.height } = strip.svg.getBoundingClientRect());
  }
  detail.column = Math.max(COLUMN[0], Math.min(COLUMN[1], detail.width / rounds.length));
  // In a short recording, the columns of both strips have the same width.
  overview.used = Math.min(overview.width, rounds.length * COLUMN[1]);
  drawOverview();
}

function drawOverview() {
  const { used, height } = overview;
  const columns = Math.max(1, Math.min(Math.floor(used), rounds.length));
  const wide = used / columns;
  const rectangles = [];
  for (let column = 0; column < columns; column++) {
    const first = Math.floor((column * rounds.length) / columns);
    const last = Math.floor(((column + 1) * rounds.length) / columns);
    let count = 0;
    let gravest = 0;
    let isFound = false;
    for (const round of rounds.slice(first, last)) {
      count = Math.max(count, round.steps.length);
      isFound ||= findingRounds.has(round);
      for (const i of round.steps) gravest = Math.max(gravest, KINDS.indexOf(kindOf(steps[i])));
    }
    // The square root keeps small rounds visible beside one with a thousand connections.
    const high = Math.max(2, Math.sqrt(count / most) * height);
    rectangles.push([KINDS[gravest], column * wide, height - high, wide - (wide > 3), high]);
    if (isFound) rectangles.push(["finding", column * wide, 0, wide - (wide > 3), MARK]);
  }
  overview.draw([...KINDS, "finding"], rectangles);
}

// One column for each round: its steps in a stack, and behind them the length of its sleep. The
// rounds of a second side hang from the top.
function drawDetail(place) {
  const { width, height, column } = detail;
  const columns = Math.ceil(width / column);
  const centred = place.index - Math.floor(columns / 2);
  firstInDetail = Math.max(0, Math.min(centred, rounds.length - Math.floor(width / column)));
  const rectangles = [];
  const levelOf = (round, n) => (round.side ? n * BOX : height - (n + 1) * BOX + 1);
  rounds.slice(firstInDetail, firstInDetail + columns).forEach((round, i) => {
    const x = i * column;
    const add = (kind, from, high, inset) => {
      const y = round.side ? from : height - from - high;
      rectangles.push([kind, x + inset, y, column - 2 * inset, high]);
    };
    // A microsecond and a thousand seconds are nine powers of ten apart.
    const slept = (Math.log10(Math.max(1e-6, round.woke - round.t)) + 6) / 9;
    if (round.number) add("sleep", 0, Math.max(0, Math.min(1, slept)) * height, 1);
    const shown = shownSteps(round, round === place.round ? place.number : undefined);
    const boxes = Math.min(shown.length, Math.floor(height / BOX));
    for (let n = 0; n < boxes; n++) {
      add(kindOf(steps[shown[n]]), n * BOX, BOX - 1, 3);
      if (findingsAt.has(shown[n])) rectangles.push(["finding", x, levelOf(round, n), 3, BOX - 1]);
    }
    if (round !== place.round) return;
    const level = Math.min(lastAtMost(shown, place.number), boxes - 1) * BOX;
    for (const edge of [x, x + column - 2]) rectangles.push(["here", edge, 0, 2, height]);
    for (const edge of [level - 1, level + BOX - 1]) add("here", edge, 1, 0);
  });
  detail.draw([...KINDS, "finding", "here"], rectangles);
}

function drawStrips(place) {
  const x = ((place.index + 0.5) / rounds.length) * overview.used;
  overview.draw(["here"], [["here", x - 1.5, 0, 3, overview.height]]);
  overview.svg.setAttribute("aria-valuemax", rounds.length);
  overview.svg.setAttribute("aria-valuenow", place.index + 1);
  overview.svg.setAttribute("aria-valuetext", titleOf(place.round));
  drawDetail(place);
}

// The position under the pointer: a round in the overview, a step in the detail.
function positionInOverview(event) {
  const index = Math.floor((event.offsetX / overview.used) * rounds.length);
  const round = rounds[Math.max(0, Math.min(rounds.length - 1, index))];
  return shownSteps(round)[0] ?? round.steps[0];
}

function positionInDetail(event) {
  const round = rounds[firstInDetail + Math.floor(event.offsetX / detail.column)];
  if (!round) return undefined;
  const up = round.side ? event.offsetY : detail.height - event.offsetY;
  const present = roundOf[now] === firstInDetail + Math.floor(event.offsetX / detail.column);
  const shown = shownSteps(round, present ? now : undefined);
  return shown[Math.floor(up / BOX)] ?? shown[0] ?? round.steps[0];
}
