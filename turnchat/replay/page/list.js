"use strict";
// A list of any length. Only its visible rows are in the document.
//
// All rows have the same height, so a row's place follows from its number. Tab reaches only the
// current row, and the focus stays on it when it moves.

class VirtualList {
  // box: the element that scrolls. height: of a row, in rem. draw(i): makes the element of row i.
  constructor(box, height, draw) {
    this.box = box;
    this.height = height;
    this.draw = draw;
    this.count = 0;
    this.current = -1;
    this.rows = make("div", {});
    this.content = make("div", { className: "content" }, this.rows);
    box.append(this.content);
    box.addEventListener("scroll", () => this.redraw());
    new ResizeObserver(() => this.show(this.count, this.current)).observe(box);
  }

  // Show `count` rows, with row `current` in sight; -1 for none.
  show(count, current) {
    this.count = count;
    this.current = current;
    this.pixels = this.height * parseFloat(getComputedStyle(document.documentElement).fontSize);
    this.content.style.height = `${count * this.pixels}px`;
    const seen = this.box.clientHeight;
    const top = current * this.pixels;
    const { scrollTop } = this.box;
    if (current >= 0 && (top < scrollTop || top + this.pixels > scrollTop + seen)) {
      this.box.scrollTop = Math.max(0, top - seen / 2);
    }
    this.redraw();
  }

  redraw() {
    const top = this.box.scrollTop;
    const first = Math.max(0, Math.floor(top / this.pixels));
    const last = Math.min(this.count, Math.ceil((top + this.box.clientHeight) / this.pixels));
    const hadFocus = this.rows.contains(document.activeElement);
    const reached = this.current >= first && this.current < last ? this.current : first;
    const drawn = Array.from({ length: last - first }, (_, nth) => {
      const i = first + nth;
      const row = this.draw(i);
      row.classList.add("row");
      Object.assign(row.style, { top: `${i * this.pixels}px`, height: `${this.pixels}px` });
      if (row.tagName === "BUTTON") row.tabIndex = i === reached ? 0 : -1;
      if (i === this.current) row.ariaCurrent = "true";
      return row;
    });
    this.rows.replaceChildren(...drawn);
    if (hadFocus) drawn[reached - first]?.focus({ preventScroll: true });
  }
}
