"""All that is written about a class: a report a student to hand back, and the page of the class."""

import textwrap
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import quote

from turnchat.check.case import Level, Profile
from turnchat.check.formats import class_page
from turnchat.check.formats.page import render, student
from turnchat.check.formats.text import Text
from turnchat.check.lab.classroom import Work
from turnchat.check.lab.marks import Facts, Marks
from turnchat.check.lab.rubric import Rubric
from turnchat.check.lab.suites import SUITES, Kind
from turnchat.check.report import CaseResult, Report, Verdict
from turnchat.text import safe

COLUMNS = 80
SHORT = (Verdict.FAIL, Verdict.WARN, Verdict.ERROR)  # they are explained
COMMONEST = 10  # mistakes of a class
MOST_PROBLEMS = 12
TITLES = {
    "server": "The server, with the checker",
    "client": "The client, with the checker",
    "pair": "The server and the client, with each other",
    "server-turnchat": "The server, with turnchat's client",
    "client-turnchat": "The client, with turnchat's server",
}


def facts_of(work: Work, expected: Mapping[str, Level]) -> Facts:
    """Return all that the marks of a hand-in are made of."""
    files = frozenset(work.hand_in.files)
    return Facts(
        files,
        frozenset(role for role in files if work.parses(role)),
        frozenset(role for role in files if work.looks[role].header.name),
        frozenset(role for role in files if work.looks[role].header.id),
        work.hand_in.is_in_order,
        expected,
        {
            f"{suite}:{name}": one
            for suite, them in work.results.items()
            for name, one in them.items()
        },
    )


def problems_of(work: Work) -> list[str]:
    """Return all that a marker should look at, in sentences."""
    problems = [*work.hand_in.problems, *work.problems]
    problems += [
        f"the {role} does not parse: {look.error}"
        for role, look in work.looks.items()
        if look.error
    ]
    results = [one for them in work.results.values() for one in them.values()]
    if errors := sum(one.verdict is Verdict.ERROR for one in results):
        problems.append(f"the checker failed in {errors} of its cases: run it again")
    if left_out := [one for one in results if one.depends_on == one.id]:
        problems.append(f"{len(left_out)} cases were {left_out[0].reason}")
    if len(problems) > MOST_PROBLEMS:
        problems = [*problems[:MOST_PROBLEMS], f"and {len(problems) - MOST_PROBLEMS} more"]
    return [safe(one) for one in problems]


def text_report(work: Work, rubric: Rubric, marks: Marks) -> str:
    """Return the report to hand back, for 80 columns."""
    hand_in = work.hand_in
    title = safe(f"{rubric.title}: {hand_in.id} {work.name}".strip())
    lines = [title, "=" * min(len(title), COLUMNS), ""]
    lines += [_total(marks), ""]
    for score in marks.scores:
        points = "    ?" if score.points is None else f"{score.points:5g}"
        lines.append(f"{points} of {score.most:<4g} {safe(score.name)}")
        if score.remark:
            lines += _wrapped(score.remark, 15)
    if problems := problems_of(work):
        lines += ["", "Look at this:", *(line for one in problems for line in _wrapped(one, 2))]
    for kind in SUITES:
        if kind.name in work.results:
            lines += ["", *_suite(kind, list(work.results[kind.name].values()))]
    lines += _linted(work)
    return "\n".join(lines) + "\n"


def html_reports(work: Work, profile: Profile, seed: int) -> Iterator[tuple[str, str]]:
    """Give the name of each suite, and the page of its report."""
    for kind in SUITES:
        results = work.results.get(kind.name)
        if results:
            commands = {role: [_file_name(work.hand_in.paths[role])] for role in kind.students}
            words = [name for names in commands.values() for name in names]
            seconds = sum(one.seconds for one in results.values())
            report = Report(
                profile, kind.role, words, list(results.values()), seconds, seed, commands
            )
            yield kind.name, render(report)


def student_page(work: Work, rubric: Rubric, marks: Marks, name: str) -> str:
    """Return the page of a student, with links to the others. name: of all its files."""
    checks = []
    for kind in SUITES:
        if results := work.results.get(kind.name):
            short = [one for one in results.values() if one.verdict in SHORT]
            mistakes = [student.Mistake(one.id, one.rule) for one in short]
            link = f"{quote(name)}.{kind.name}.html"
            counts = _held(list(results.values()))
            checks.append(student.Check(TITLES[kind.name], link, *counts, mistakes))
    scores = [student.Score(*one) for one in marks.scores]
    title = f"{work.hand_in.id} {work.name}".strip()
    text = f"{quote(name)}.txt"
    return student.render(
        student.Page(
            rubric.title, title, _total(marks), text, scores, problems_of(work), checks,
            _remarks(work),
        )
    )  # fmt: skip


def class_report(
    works: Sequence[Work], rubric: Rubric, marks: Sequence[Marks], links: Sequence[str]
) -> str:
    """Return the page of the class. links: to each report, without the suffix."""
    students = [
        class_page.Student(
            safe(work.hand_in.id),
            safe(work.name),
            [safe(path) for path in work.hand_in.paths.values()],
            [
                class_page.Part(
                    one.name + (" (left to the marker)" if one.points is None else ""),
                    one.points or 0.0,
                    one.most,
                )
                for one in his.scores
            ],
            his.total,
            his.most,
            f"{link}.html",
            problems_of(work),
            f"{link}.txt",
        )
        for work, his, link in zip(works, marks, links, strict=True)
    ]
    return class_page.render(rubric.title, students, None, commonest(works, links))


def commonest(works: Sequence[Work], links: Sequence[str] = ()) -> list[class_page.Mistake]:
    """Return the rules that most students break, the commonest first."""
    students: dict[str, list[int]] = {}
    rules: dict[str, str] = {}
    pages: dict[str, str] = {}
    for number, work in enumerate(works):
        broken = {
            one.id: (one.rule, suite)
            for suite, results in work.results.items()
            for one in results.values()
            if one.verdict in (Verdict.FAIL, Verdict.WARN)
        }
        for name, (rule, suite) in broken.items():
            rules[name] = rule
            students.setdefault(name, []).append(number)
            if links:
                pages.setdefault(name, f"{links[number]}.{suite}.html#{quote(name)}")
    counts = Counter({name: len(them) for name, them in students.items()})
    return [
        class_page.Mistake(
            name,
            rules[name],
            [safe(works[number].hand_in.id) for number in students[name]],
            pages.get(name),
        )
        for name, _ in counts.most_common(COMMONEST)
    ]


def _suite(kind: Kind, results: Sequence[CaseResult]) -> list[str]:
    counted = [one for one in results if one.counts]
    held, of = _held(results)
    title = f"{TITLES[kind.name]}: {held} of {of} rules hold"
    lines = [title, "-" * len(title)]
    writer = Text(colour=False)
    for one in results:
        if one.verdict in SHORT:
            lines += ["", *writer.explain(one)]
    skipped = Counter(one.reason for one in counted if one.verdict is Verdict.SKIP)
    for reason, number in skipped.items():
        cases = "1 case was" if number == 1 else f"{number} cases were"
        lines += _wrapped(f"{cases} not tried: {reason.removeprefix('not tried: ')}", 0)
    return lines


def _linted(work: Work) -> list[str]:
    lines = [f"  {line}"[:COLUMNS] for line in _remarks(work)]
    return ["", "A linter says:", *lines] if lines else []


def _remarks(work: Work) -> list[str]:
    return [line for look in work.looks.values() for line in look.remarks]


def _total(marks: Marks) -> str:
    left = f", {marks.open:g} more are left to the marker" if marks.open else ""
    return f"{marks.total:g} of {marks.most:g} points{left}"


def _held(results: Sequence[CaseResult]) -> tuple[int, int]:
    """Return the number of rules that hold, and of all that count."""
    counted = [one for one in results if one.counts]
    return sum(one.verdict is Verdict.PASS for one in counted), len(counted)


def _wrapped(text: str, indent: int) -> list[str]:
    return textwrap.wrap(
        safe(text), COLUMNS, initial_indent=" " * indent, subsequent_indent=" " * indent,
        break_on_hyphens=False,  # ids have them
    )  # fmt: skip


def _file_name(path: str) -> str:
    return path.rpartition("/")[2]
