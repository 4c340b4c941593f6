"""Make a class: hand-ins of good programs and of the zoo, with the marks that they must get.

    python -m tests.tools.make_class 40 FOLDER [--layout moodle]

FOLDER/class has the hand-ins, FOLDER/rubric.toml the rubric, FOLDER/predicted.csv the points.
"""

import argparse
import csv
import sys
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from tests.support.students import program
from tests.support.zoo import ZOO, Specimen, specimens
from turnchat.check.case import CLIENT, LAB, SERVER, Role
from turnchat.check.lab.marks import Facts, Marks, mark
from turnchat.check.lab.rubric import Rubric, parse
from turnchat.check.lab.suites import cases_of, expected
from turnchat.check.report import CaseResult, Verdict
from turnchat.check.suite import Suite, Task

# The zoo says nothing of pairs, and whether a case applies (many/next) is a program's own affair.
RUBRIC = """\
title = "A class that was made up"
round_to = 0.01
[[criterion]]
name = "Two files"
points = 10
by = "files"
must_parse = true
[[criterion]]
name = "Name and ID"
points = 10
by = "header"
[[criterion]]
name = "Messaging"
points = 30
by = "cases"
    [[criterion.part]]
    points = 15
    cases = ["server:frame/*", "server:turn/*", "server:text/*", "server:end/*"]
    [[criterion.part]]
    points = 15
    cases = ["client:frame/*", "client:turn/*", "client:text/*", "client:end/*"]
[[criterion]]
name = "Submission"
points = 5
by = "submission"
"""
NAMES = ("Chan Tai Man", "Wong Siu Ming", "Jürgen Groß", "Siobhán O'Neill", "陳大文", "Ana María")
COMMENTS = {".py": "#", ".sh": "#", ".js": "//", ".java": "//", ".c": "//"}
BROKEN = "def main(:\n    pass\n"
MISSING, SYNTAX, ANONYMOUS = "missing", "syntax", "anonymous"


class Program(NamedTuple):
    """A program that is handed in. fails: it falls short in these cases."""

    suffix: str
    text: str
    fails: Callable[[str], bool]
    defect: str = ""


class Student(NamedTuple):
    """A member of the class."""

    id: str
    name: str
    programs: Mapping[Role, Program]


def good(role: Role) -> Program:
    return Program(".py", program(role, "", ""), lambda _: False)


def from_zoo(one: Specimen) -> Program:
    return Program(one.path.suffix, one.path.read_text(), one.must_fail)


def make_students(number: int) -> list[Student]:
    """The zoo's programs, each beside a good one; then defects, and good ones of all styles."""
    bad = [one for one in specimens("bad") if one.profile is LAB]
    fine = [one for one in specimens("good") if one.role in (SERVER, CLIENT)]
    pairs: list[dict[Role, Program]] = [
        {SERVER: good(SERVER), CLIENT: good(CLIENT)},
        {SERVER: good(SERVER)._replace(defect=SYNTAX), CLIENT: good(CLIENT)},
        {SERVER: good(SERVER), CLIENT: good(CLIENT)._replace(defect=MISSING)},
        {SERVER: good(SERVER)._replace(defect=ANONYMOUS), CLIENT: good(CLIENT)},
    ]
    pairs += [
        {SERVER: good(SERVER), CLIENT: good(CLIENT), one.role: from_zoo(one)}
        for one in [*bad, *fine]
    ]
    return [
        Student(f"{12345000 + nth}d", NAMES[nth % len(NAMES)], pairs[nth % len(pairs)])
        for nth in range(number)
    ]


def text_of(student: Student, one: Program) -> str:
    """The text that is handed in, with the comment at its top."""
    if one.defect == SYNTAX:
        return f"# {student.name}\n# {student.id}\n{BROKEN}"
    text = one.text.replace("# Name: \n# ID: \n", "")
    mark_of_comment = COMMENTS[one.suffix]
    if one.defect == ANONYMOUS:
        return f"{mark_of_comment} a program\n{text.lstrip()}"
    return f"{mark_of_comment} Name: {student.name}\n{mark_of_comment} ID: {student.id}\n{text}"


# The layouts of exports: paths and texts of one student's files


def flat(student: Student, role: str, suffix: str) -> str:
    return f"{role}_{student.id}{suffix}"


def folders(student: Student, role: str, suffix: str) -> str:
    return f"{student.name} {student.id}/{role}_{student.id}{suffix}"


def moodle(student: Student, role: str, suffix: str) -> str:
    number = int(student.id[:-1]) + 100
    return f"{student.name}_{number}_assignsubmission_file_/{role}_{student.id}{suffix}"


def canvas(student: Student, role: str, suffix: str) -> str:
    name = "".join(char for char in student.name.lower() if char.isalpha())
    number = int(student.id[:-1]) + 100
    again = "-1" if role == "client" else ""
    return f"{name}_{number}_{number + 7}_{role}_{student.id}{again}{suffix}"


def blackboard(student: Student, role: str, suffix: str) -> str:
    return f"Lab 1_{student.id}_attempt_2024-01-02-03-04-05_{role}_{student.id}{suffix}"


def gradescope(student: Student, role: str, suffix: str) -> str:
    return f"assignment_1_export/submission_{student.id[:-1]}/{role}_{student.id}{suffix}"


LAYOUTS = {
    one.__name__: one for one in (flat, folders, moodle, canvas, blackboard, gradescope)
}  # fmt: skip


def write_class(
    students: Sequence[Student], folder: Path, layout: str = "flat", *, zips: bool = False
) -> None:
    """Write the hand-ins. zips: each student's files are in a zip file."""
    for student in students:
        files = {
            LAYOUTS[layout](student, role, one.suffix): text_of(student, one)
            for role, one in student.programs.items()
            if one.defect != MISSING
        }
        if zips:
            folder.mkdir(parents=True, exist_ok=True)
            with zipfile.ZipFile(folder / f"{student.id}.zip", "w") as archive:
                for name, text in files.items():
                    archive.writestr(name, text)
            continue
        for name, text in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)


# The prediction


def predicted_marks(student: Student, rubric: Rubric) -> Marks:
    """The marks that the student must get, by what the zoo says of the programs."""
    programs = {role: one for role, one in student.programs.items() if one.defect != MISSING}
    running = frozenset(role for role, one in programs.items() if one.defect != SYNTAX)
    named = frozenset(role for role, one in programs.items() if one.defect != ANONYMOUS)
    cases = cases_of(LAB)
    results: dict[str, CaseResult] = {}
    for role in running:
        suite = Suite(cases[role], Task("", role, {}))
        while found := suite.next_task():
            case, _ = found
            falls_short = programs[role].fails(case.id)
            verdict = Verdict.FAIL if falls_short else Verdict.PASS
            suite.take(
                case,
                CaseResult(case.id, case.level, verdict, case.rule, case.section, case.hint),
            )
        results |= {f"{role}:{name}": one for name, one in suite.results.items()}
    facts = Facts(
        frozenset(programs), running, named, named, len(programs) == 2, expected(cases), results
    )
    return mark(rubric, facts)


def main() -> int:
    arguments = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    arguments.add_argument("number", type=int)
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("--layout", choices=LAYOUTS, default="flat")
    arguments.add_argument("--zips", action="store_true")
    asked = arguments.parse_args()
    students = make_students(asked.number)
    write_class(students, asked.folder / "class", asked.layout, zips=asked.zips)
    (asked.folder / "rubric.toml").write_text(RUBRIC)
    rubric = parse(RUBRIC)
    with (asked.folder / "predicted.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        for student in students:
            marks = predicted_marks(student, rubric)
            points = ["" if one.points is None else f"{one.points:g}" for one in marks.scores]
            writer.writerow([student.id, f"{marks.total:g}", *points])
    print(f"{len(students)} hand-ins in {asked.folder / 'class'}, with programs of {ZOO}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
