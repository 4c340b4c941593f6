"""One case of a report: its rule, and all that shows why it fell short."""

from collections.abc import Iterator

from turnchat.check.case import Level
from turnchat.check.diagnosis.evidence import is_screen
from turnchat.check.formats.diagram import program_of
from turnchat.check.formats.page.comparison import alone, compare
from turnchat.check.formats.page.markup import element, lines, text
from turnchat.check.formats.page.protocol import anchor_of
from turnchat.check.formats.page.sequence import sequence
from turnchat.check.formats.text import LAST_LINES
from turnchat.check.report import NOT_HELD, CaseResult, Verdict

FILLER = "\u200b"  # the second cell of a wide character: screen.py


def case_of(result: CaseResult, replay: str | None) -> str:
    """Return the element of a case, open if it fell short. replay: a link to its recording."""
    evidence = element("div", _evidence(result, replay), class_="evidence")
    parts = [_summary(result), evidence]
    return element(
        "details",
        parts,
        class_=f"case {result.verdict}",
        id=result.id,
        open=result.verdict in NOT_HELD,
        data_verdict=result.verdict,
    )


def _summary(result: CaseResult) -> str:
    tags = []
    if result.shortfall:
        tags.append(element("span", text(result.shortfall.kind), class_="tag"))
    if result.level is Level.SHOULD:
        tags.append(element("span", "SHOULD", class_="tag"))
    if result.runs > 1:
        short = f"{result.failures} of " if result.failures else ""
        tags.append(element("span", f"{short}{result.runs} runs", class_="tag"))
    if result.verdict is Verdict.SKIP:
        why = f"needs {result.depends_on}" if result.depends_on else "not applicable"
        tags.append(element("span", text(why), class_="tag"))
    parts = [
        element("span", result.verdict, class_="verdict"),
        element("code", text(result.id), class_="id"),
        element("span", lines(result.rule), class_="rule"),
        element("span", tags, class_="tags"),
        element("span", f"{result.seconds:.2f} s" if result.seconds else "", class_="seconds"),
    ]
    return element("summary", parts)


def _evidence(result: CaseResult, replay: str | None) -> Iterator[str]:
    for sentence in result.diagnosis:
        yield element("p", lines(sentence), class_="diagnosis")
    if result.depends_on:
        link = element("a", text(result.depends_on), href=f"#{result.depends_on}")
        yield element("p", ["It needs ", link, ", which falls short."], class_="reason")
    elif result.reason:
        reason = result.reason.partition(LAST_LINES)[0] if result.screens else result.reason
        yield element("p", _sentence(reason), class_="reason")
    if result.shortfall and result.hint and not result.diagnosis:
        yield element("p", [element("b", "Hint"), " ", lines(result.hint)], class_="hint")
    yield element("p", _rule(result), class_="of-rule")
    yield from _compared(result)
    diagram, screens = sequence(result), "".join(_screens(result))
    if diagram or screens:
        happened = _part("What happened", diagram, "diagram") if diagram else ""
        terminal = _part("The terminal", screens, "screens") if screens else ""
        yield element("div", happened + terminal, class_="scene")
    if replay:
        link = element("a", "Replay the checker's loop, step by step", href=replay)
        yield element("p", link, class_="replay")


def _sentence(words: str) -> str:
    """Return a reason, which has no period, as a sentence."""
    whole = words[:1].upper() + words[1:]
    return lines(whole if whole.endswith((".", "!", "?")) else f"{whole}.")


def _rule(result: CaseResult) -> Iterator[str]:
    yield text(result.level)
    yield " · "
    anchor = anchor_of(result.section)
    if anchor:
        words = f"section “{result.section}” of the protocol"
        yield element("a", text(words), href=f"#{anchor}")
    else:
        yield text(result.section or "a rule of the checker")


def _compared(result: CaseResult) -> Iterator[str]:
    fallen = result.shortfall
    if fallen is None or fallen.expected is None:
        return
    if fallen.received is None or is_screen(result, fallen):
        yield _part("Expected on the screen, and not there", alone("expected", fallen.expected))
    else:
        yield _part("Expected and received", compare(fallen.expected, fallen.received))


def _part(title: str, content: str, name: str = "bytes") -> str:
    return element("section", [element("h3", title), content], class_=name)


def _screens(result: CaseResult) -> Iterator[str]:
    several = len(result.screens) > 1
    for number, rows in enumerate(result.screens):
        if not rows and several:
            continue
        program = program_of(result, number) or "first start"
        name = f"terminal of the {program}" if several else "80 columns"
        shown = "\n".join(text(row.replace(FILLER, "")) for row in rows)
        screen = element("pre", shown or element("span", "nothing", class_="none"), tabindex=0)
        yield element("figure", [element("figcaption", name), screen], class_="screen")
