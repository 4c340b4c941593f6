"""A report as text: each shortfall explains itself, and the summary fits on a screen.

The end of the output is what a terminal shows: there is the mistake to be mended first, whole, and
below it the summary. Words fit the columns of a narrow terminal; drawings and bytes take 80. What a
program wrote is shown by safe() alone.
"""

import re
import textwrap
from ast import literal_eval
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress

from turnchat.check.diagnosis.evidence import is_screen
from turnchat.check.diagnosis.mistakes import Mistake, mistakes
from turnchat.check.formats.diagram import (
    bounded,
    columns_of,
    cut,
    cut_up,
    draw,
    framed,
    is_pair,
    program_of,
    wrapped,
)
from turnchat.check.formats.dump import dump, in_words, side_by_side
from turnchat.check.report import NOT_HELD, CaseResult, EventType, Kind, Report, Shortfall, Verdict
from turnchat.text import counted, duration, safe

COLUMNS, FEWEST_COLUMNS = 80, 32
ALSO = "      also "  # in front of the other cases with a mistake
LABEL = 9  # columns of the label in front of a paragraph
LISTED = 9  # lines of mistakes in the summary, so that it fits on a screen of 24 rows
EXPLAINED = 3  # mistakes that are explained, by a case each, if not all cases are asked for
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
KINDS = {Kind.DIED: "Died", Kind.HANGS: "Hangs", Kind.SPINS: "Spins", Kind.WRONG: "Wrong"}


class Text:
    """The writer of a report. colour: escape sequences for colours may be used."""

    def __init__(self, *, colour: bool, columns: int = COLUMNS) -> None:
        self._colour, self._columns = colour, max(FEWEST_COLUMNS, min(COLUMNS, columns))

    def report(self, report: Report, *, explains_all: bool) -> str:
        """Return explanations, the mistake to be mended first as the last, and the summary.

        A case of each of the first mistakes is explained, or all cases.
        """
        found = mistakes(report.cases)
        first = [one.first for one in found[:1]]
        shown = [one.first for one in found[:EXPLAINED]]
        if explains_all:
            shown = [one for one in report.cases if one.verdict in NOT_HELD]
        lines = []
        for one in [*(one for one in shown if one not in first), *first]:
            lines += [*self.explain(one, is_first=one in first), ""]
        return "".join(f"{line}\n" for line in [*lines, *self.summary(report, len(shown))])

    def line(self, result: CaseResult) -> str:
        """Return one line about a case, that takes one row."""
        word = result.verdict.upper() if result.verdict in NOT_HELD else result.verdict
        head = f"{word:5} {result.id:24}"
        text = "" if result.verdict is Verdict.PASS else in_short(result)
        if text:
            text = cut(f" {text}", self._columns - len(head))
        return f"{self._paint(STYLES[result.verdict], head)}{text}".rstrip()

    def summary(self, report: Report, explained: int = 0) -> list[str]:
        """Return the summary: at most 22 lines. explained: the cases above it."""
        title, commands = f"{report.role}, profile {report.profile}", list(map(safe, report.lines))
        if len(commands) == 1:
            title = f"{title}: {commands.pop()}"
        lines = [
            self._rule("──", title, BOLD),
            *(cut(command, self._columns) for command in commands),
        ]
        found = mistakes(report.cases)
        lines += self.listed(found, LISTED - len(commands))
        lines += [self._paint(DIM, cut(text, self._columns)) for text in _skips(report)]
        if found:
            lines += ["", *self._advice(found[0]), ""]
        if rest := sum(len(one.cases) for one in found) - explained:
            more = counted(rest, "case")
            words = f"Not explained above: {more}. -v explains all, --only ID one of them."
            lines += textwrap.wrap(words, self._columns)
        return [*lines, *self._totals(report)]

    def listed(self, found: Sequence[Mistake], room: int) -> Iterator[str]:
        """Give a line for each mistake, and one for its other cases: `room` lines at most."""
        left = sum(len(one.cases) for one in found)
        for mistake in found:
            names = ", ".join(one.id for one in mistake.cases[1:])
            lines = [self.line(mistake.first)]
            if names:
                lines.append(cut(f"{ALSO}{names}", self._columns))
            if len(lines) + (mistake is not found[-1]) > room:
                yield f"      and {counted(left, 'more case')}"
                return
            yield from lines
            room, left = room - len(lines), left - len(mistake.cases)

    def listed_whole(self, found: Sequence[Mistake]) -> Iterator[str]:
        """Give the lines of all mistakes, for a file: no text is cut."""
        for mistake in found:
            first, text = mistake.first, in_short(mistake.first)
            head = f"{first.verdict.upper():5} {first.id:24} "
            yield from wrapped(text, self._columns, head, " " * len(head))
            if len(mistake.cases) > 1:
                names = ", ".join(one.id for one in mistake.cases[1:])
                yield from wrapped(names, self._columns, ALSO, " " * len(ALSO))

    def explain(self, result: CaseResult, *, is_first: bool = False) -> list[str]:
        """Return all that helps to understand why a case falls short. is_first: mend it first."""
        name = f"{result.verdict.upper()}  {result.id}"
        if is_first and result.verdict is not Verdict.ERROR:
            name += ": mend this first"
        lines = [self._rule("━━", name, STYLES[result.verdict])]
        lines += self._paragraph("Rule", result.rule)
        lines += self._paragraph("", f'{result.level}; PROTOCOL.md, "{result.section}"')
        reason = _sentence(_readable(result.reason).partition(LAST_LINES)[0])
        for number, line in enumerate(reason.splitlines()):
            lines += self._paragraph("" if number else _label(result), line)
        shortfall = result.shortfall
        if shortfall and shortfall.step and shortfall.step not in result.reason:
            lines += self._paragraph("", f"The checker waited for {_readable(shortfall.step)}.")
        for sentence in result.diagnosis:
            paragraph = self._paragraph("Mistake", sentence)
            lines += [self._paint(BOLD, line) for line in paragraph]
        if result.verdict is not Verdict.ERROR and not result.diagnosis:
            lines += self._paragraph("Hint", result.hint)
        if result.events:
            lines += ["", *draw(result), *self._last_row(result)]
        if shortfall:
            lines += self._bytes(result, shortfall)
        lines += _streams(result)
        for number, screen in enumerate(result.screens):
            name = program_of(result, number)
            title = f"terminal of the {name}" if name else "terminal"
            lines += ["", *framed(title, screen)]
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
            for line in side_by_side(expected, received):
                yield self._paint(RED, line) if "^^" in line else line
            yield f"  {in_words(expected, received)}"
        elif received or expected:
            yield from dump(received or expected or b"")

    def _advice(self, mistake: Mistake) -> list[str]:
        """Return the mistake to be mended first, in short."""
        result = mistake.first
        if result.verdict is Verdict.ERROR:
            return ["This is a defect of the checker, and no mistake of the program."]
        costs = f"; it costs {mistake.cost} cases" if mistake.cost > 1 else ""
        title = textwrap.wrap(f"Mend this first: {result.id}{costs}", self._columns)
        text = result.diagnosis[0] if result.diagnosis else result.hint
        lines = textwrap.wrap(safe(text), self._columns - 4)
        if len(lines) > HINT_ROWS:
            lines[HINT_ROWS - 1 :] = [cut(f"{lines[HINT_ROWS - 1]} …", self._columns - 4)]
        return [*(self._paint(BOLD, line) for line in title), *(f"  {line}" for line in lines)]

    def _totals(self, report: Report) -> Iterator[str]:
        counts = [f"{number} {one}" for one in Verdict if (number := report.count(one))]
        verdict = next((one for one in NOT_HELD if report.count(one)), Verdict.PASS)
        words = "" if verdict is not Verdict.PASS else "All that was tried holds. "
        text = f"{words}Score {report.score:.1f} of 100"
        if not any(one.counts for one in report.cases):
            text = "Nothing was tried that counts"
        rest = f": {', '.join(counts)} in {duration(report.seconds)}."
        yield self._paint(STYLES[verdict], text) + rest

    def _rule(self, line: str, title: str, style: str) -> str:
        title = cut(title, self._columns - 6)
        end = line[:1] * (self._columns - 4 - columns_of(title))
        return f"{line} {self._paint(style, title)} {end}"

    def _paragraph(self, label: str, text: str) -> list[str]:
        """Return a paragraph with a label in front of its first line."""
        lines = wrapped(text, self._columns - LABEL - 1) or [""]
        return [f"{label if not at else '':{LABEL}}{line}" for at, line in enumerate(lines)]

    def _paint(self, style: str, text: str) -> str:
        return f"\x1b[{style}m{text}\x1b[0m" if self._colour else text


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


def in_short(result: CaseResult) -> str:
    """Return the mistake, or the reason if the mistake is not known, without its evidence."""
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


def _sentence(reason: str) -> str:
    reason = reason.strip()
    return f"{reason[:1].upper()}{reason[1:]}{'' if reason.endswith('.') else '.'}"


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
        yield from (f"  {row}" for row in bounded(list(cut_up(text, COLUMNS - 2))))


def _streams(result: CaseResult) -> Iterator[str]:
    """Give all that was sent and received in the last conversation, and what was typed."""
    peer = max((event.peer for event in result.events), default=0)
    number = f" in conversation #{peer}" if peer > 1 and not is_pair(result) else ""
    for event_type, name in (
        (EventType.SENT, _sender(result, peer, is_passed_on=True)),
        (EventType.RECEIVED, _sender(result, peer, is_passed_on=False)),
    ):
        events = [one for one in result.events if one.type is event_type and one.peer == peer]
        data = b"".join(one.data for one in events)
        if data and not (result.shortfall and data == result.shortfall.received):
            yield ""
            yield f"Sent by the {name}{number} ({counted(len(data), 'byte')}):"
            yield from dump(data)


def _sender(result: CaseResult, peer: int, *, is_passed_on: bool) -> str:
    """Return the name of a sender. In a pair the checker passes on the bytes of the other one."""
    if not is_pair(result):
        return "checker" if is_passed_on else "program"
    program = next((one.program for one in result.events if one.peer == peer), 0)
    return program_of(result, 1 - program if is_passed_on else program)
