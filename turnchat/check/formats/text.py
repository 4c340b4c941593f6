"""A report as text: each shortfall explains itself, and the summary fits on a screen.

The summary comes last, since the end of the output is what a terminal shows. All is made for 80
columns. What a program wrote is shown by safe() alone.
"""

import re
import textwrap
from ast import literal_eval
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress

from turnchat.check.diagnosis.evidence import is_screen
from turnchat.check.formats.diagram import columns_of, cut, draw, program_of
from turnchat.check.formats.dump import compare, dump, in_words
from turnchat.check.report import CaseResult, Kind, Report, Shortfall, Verdict, What
from turnchat.text import counted, duration, safe

COLUMNS = 80
LABEL = 9  # columns of the label in front of a paragraph
LISTED = 9  # cases in the summary, so that it fits on a screen of 24 rows
EXPLAINED = 3  # cases that are explained if not all are asked for
HINT_ROWS = 5
LAST_LINES = "; its last lines: "  # of a screen that is shown below
STYLES = {
    Verdict.PASS: "32",
    Verdict.FAIL: "1;31",
    Verdict.WARN: "33",
    Verdict.SKIP: "2",
    Verdict.ERROR: "1;35",
}
BOLD, DIM, RED = "1", "2", "31"
SHORT = (Verdict.FAIL, Verdict.ERROR, Verdict.WARN)  # in the order of a summary
KINDS = {Kind.DIED: "Died", Kind.HANGS: "Hangs", Kind.SPINS: "Spins", Kind.WRONG: "Wrong"}


class Text:
    """The writer of a report. colour: escape sequences for colours may be used."""

    def __init__(self, *, colour: bool) -> None:
        self._colour = colour

    def report(self, report: Report, *, explains_all: bool) -> str:
        """Return the explanations of the first shortfalls, or of all, and the summary."""
        fallen = _fallen(report)
        explained = fallen if explains_all else fallen[:EXPLAINED]
        lines = [line for result in explained for line in [*self.explain(result), ""]]
        if rest := len(fallen) - len(explained):
            more = counted(rest, "more case")
            lines += [f"Not explained here: {more}. -v explains all, --only ID one of them.", ""]
        return "".join(f"{line}\n" for line in [*lines, *self.summary(report)])

    def line(self, result: CaseResult) -> str:
        """Return one line about a case, of 80 columns at most."""
        word = result.verdict.upper() if result.verdict in SHORT else result.verdict
        head = f"{word:5} {result.id:24}"
        text = "" if result.verdict is Verdict.PASS else _in_short(result)
        if text:
            text = cut(f" {text}", COLUMNS - len(head))
        return f"{self._paint(STYLES[result.verdict], head)}{text}".rstrip()

    def summary(self, report: Report) -> list[str]:
        """Return the summary: at most 22 lines of 80 columns."""
        title, commands = f"{report.role}, profile {report.profile}", list(map(safe, report.lines))
        if len(commands) == 1:
            title = f"{title}: {commands.pop()}"
        lines = [self._rule("──", title, BOLD), *(cut(command, COLUMNS) for command in commands)]
        fallen = _fallen(report)
        room = LISTED - len(commands)
        shown = fallen if len(fallen) <= room else fallen[: room - 1]
        lines += map(self.line, shown)
        if len(fallen) > len(shown):
            lines.append(f"      and {len(fallen) - len(shown)} more")
        lines += [self._paint(DIM, cut(text, COLUMNS)) for text in _skips(report)]
        if fallen:
            lines += ["", *self._advice(report, fallen), ""]
        return [*lines, *self._totals(report)]

    def explain(self, result: CaseResult) -> list[str]:
        """Return all that helps to understand why a case falls short."""
        name = f"{result.verdict.upper()}  {result.id}"
        lines = [self._rule("━━", name, STYLES[result.verdict])]
        lines += _paragraph("Rule", result.rule)
        lines += _paragraph("", f'{result.level}; PROTOCOL.md, "{result.section}"')
        reason = _sentence(_readable(result.reason).partition(LAST_LINES)[0])
        for number, line in enumerate(reason.splitlines()):
            lines += _paragraph("" if number else _label(result), line)
        shortfall = result.shortfall
        if shortfall and shortfall.step and shortfall.step not in result.reason:
            lines += _paragraph("", f"The checker waited for {_readable(shortfall.step)}.")
        for sentence in result.diagnosis:
            paragraph = _paragraph("Mistake", sentence)
            lines += [self._paint(BOLD, line) for line in paragraph]
        if result.verdict is not Verdict.ERROR:
            lines += _paragraph("Hint", result.hint)
        if result.events:
            lines += ["", *draw(result), *self._last_row(result)]
        if shortfall:
            lines += self._bytes(result, shortfall)
        lines += _streams(result)
        for number, screen in enumerate(result.screens):
            name = program_of(result, number)
            title = f"terminal of the {name}" if name else "terminal"
            lines += ["", *_frame(title, screen)]
        return lines

    def _last_row(self, result: CaseResult) -> Iterator[str]:
        """Give the row below the drawing: the moment in which the case fell short."""
        text = cut(f"✗ {_plain_reason(result)}", COLUMNS - 8)
        yield f"{result.seconds:6.2f}  {self._paint(RED, text)}"

    def _bytes(self, result: CaseResult, shortfall: Shortfall) -> Iterator[str]:
        """Give the bytes that were compared, as text and as bytes."""
        expected, received = shortfall.expected, shortfall.received
        is_of_screen = is_screen(result, shortfall)
        if expected is not None:
            of_screen = " on the screen" if is_of_screen else ""
            yield ""
            yield from _value(f"Expected{of_screen}", expected)
        if received is None or is_of_screen:
            return  # the screen itself stands below
        yield from _value("Received", received)
        if expected and received:
            for line in compare(expected, received):
                yield self._paint(RED, line) if "^^" in line else line
            yield f"  {in_words(expected, received)}"
        elif received or expected:
            yield from dump(received or expected or b"")

    def _advice(self, report: Report, fallen: Sequence[CaseResult]) -> list[str]:
        """Return the mistake that costs most cases; of equal ones, that of the first case."""
        costs: Counter[str] = Counter()
        for result in fallen:
            costs[_mistake(result)] += 1 + sum(one.depends_on == result.id for one in report.cases)
        mistake, number = max(costs.items(), key=lambda item: item[1])
        result = next(one for one in fallen if _mistake(one) == mistake)
        cases = f" ({counted(number, 'case')})" if number > 1 else ""
        text = result.diagnosis[0] if result.diagnosis else result.hint
        title = self._paint(BOLD, f"Mend this first: {result.id}{cases}")
        lines = textwrap.wrap(safe(text), COLUMNS - 4)
        if len(lines) > HINT_ROWS:
            lines[HINT_ROWS - 1 :] = [cut(f"{lines[HINT_ROWS - 1]} …", COLUMNS - 4)]
        return [title, *(f"  {line}" for line in lines)]

    def _totals(self, report: Report) -> Iterator[str]:
        counts = [f"{number} {one}" for one in Verdict if (number := report.count(one))]
        verdict = next((one for one in SHORT if report.count(one)), Verdict.PASS)
        words = "" if verdict is not Verdict.PASS else "All that was tried holds. "
        text = f"{words}Score {report.score:.1f} of 100"
        if not any(one.counts for one in report.cases):
            text = "Nothing was tried that counts"
        rest = f": {', '.join(counts)} in {duration(report.seconds)}."
        yield self._paint(STYLES[verdict], text) + rest

    def _rule(self, line: str, title: str, style: str) -> str:
        title = cut(title, COLUMNS - 6)
        end = line[:1] * (COLUMNS - 4 - columns_of(title))
        return f"{line} {self._paint(style, title)} {end}"

    def _paint(self, style: str, text: str) -> str:
        return f"\x1b[{style}m{text}\x1b[0m" if self._colour else text


def _fallen(report: Report) -> list[CaseResult]:
    """Return the cases that fall short, the worst verdict first."""
    fallen = [one for one in report.cases if one.verdict in SHORT]
    return sorted(fallen, key=lambda one: SHORT.index(one.verdict))


def _skips(report: Report) -> Iterator[str]:
    """Give the cases that were not tried, by reason."""
    skipped = [one for one in report.cases if one.verdict is Verdict.SKIP]
    needed = Counter(one.depends_on for one in skipped if one.depends_on)
    if needed:
        words = ", ".join(f"{number} after {name}" for name, number in needed.most_common())
        why = f": {words}" if len(needed) > 1 else f", since {next(iter(needed))} falls short"
        yield f"skip  {counted(needed.total(), 'case')} not tried{why}"
    if other := [one for one in skipped if not one.depends_on]:
        first = other[0]
        more = f" (and {len(other) - 1} more)" if len(other) > 1 else ""
        yield f"skip  does not apply: {first.id}{more}: {safe(first.reason)}"


def _label(result: CaseResult) -> str:
    if result.shortfall:
        return KINDS[result.shortfall.kind]
    return "Error" if result.verdict is Verdict.ERROR else "Reason"


def _in_short(result: CaseResult) -> str:
    return safe(result.diagnosis[0]) if result.diagnosis else _plain_reason(result)


def _plain_reason(result: CaseResult) -> str:
    """Return the reason in a line; of a traceback the last one."""
    reason = _readable(result.reason).partition(LAST_LINES)[0].strip()
    return safe(reason.splitlines()[-1]) if reason else ""


def _readable(text: str) -> str:
    """Return words of a step with its frame as text: b'...' is Python, and not all can read it."""

    def write(match: re.Match[str]) -> str:
        with suppress(ValueError, SyntaxError):
            return f"frame {safe(literal_eval(match[1]))}"
        return match[0]

    return re.sub(r"""frame (b(?:'[^']*'|"[^"]*"))""", write, text)


def _mistake(result: CaseResult) -> str:
    """Return the words by which equal mistakes of several cases are counted."""
    return result.diagnosis[0].partition(":")[0] if result.diagnosis else result.hint


def _sentence(reason: str) -> str:
    reason = reason.strip()
    return f"{reason[:1].upper()}{reason[1:]}{'' if reason.endswith('.') else '.'}"


def _paragraph(label: str, text: str) -> list[str]:
    """Return a paragraph with a label in front of its first line."""
    lines = textwrap.wrap(safe(text), COLUMNS - LABEL - 1) or [""]
    return [f"{label if not at else '':{LABEL}}{line}" for at, line in enumerate(lines)]


def _value(name: str, data: bytes) -> Iterator[str]:
    """Give bytes as text, whole."""
    text = safe(data)
    head = f"{name} ({counted(len(data), 'byte')})"
    if not data:
        yield f"{name}: nothing"
    elif len(head) + columns_of(text) + 2 <= COLUMNS:
        yield f"{head}: {text}"
    else:
        yield f"{head}:"
        yield from _rows(text, COLUMNS - 2, "  ")


def _streams(result: CaseResult) -> Iterator[str]:
    """Give all that was sent and received in the last conversation, and what was typed."""
    peer = max((event.peer for event in result.events), default=0)
    number = f" in conversation #{peer}" if peer > 1 else ""
    for what, name in ((What.SENT, "Sent by the checker"), (What.RECEIVED, "Sent by the program")):
        events = [one for one in result.events if one.what is what and one.peer == peer]
        data = b"".join(one.data for one in events)
        if data and not (result.shortfall and data == result.shortfall.received):
            yield ""
            yield f"{name}{number} ({counted(len(data), 'byte')}):"
            yield from dump(data)


def _frame(title: str, screen: Sequence[str]) -> Iterator[str]:
    """Give a screen in a frame, without sides if its rows need all columns."""
    rows = [safe(line) for line in screen] or ["(empty)"]
    width = max(len(title) + 2, *map(columns_of, rows))
    has_sides = width <= COLUMNS - 4
    line = width if has_sides else COLUMNS - 4
    yield f"┌ {title} {'─' * (line - len(title))}┐"
    for row in rows:
        if has_sides:
            yield f"│ {row}{' ' * (width - columns_of(row))} │"
        else:
            yield from _rows(row, COLUMNS)
    yield f"└{'─' * (line + 2)}┘"


def _rows(text: str, columns: int, indent: str = "") -> Iterator[str]:
    """Cut a text into rows of `columns`."""
    while columns_of(text) > columns:
        row = cut(text, columns + 1)[:-1]
        yield indent + row
        text = text[len(row) :]
    yield indent + text
