"""The matrix: each broken program of the zoo fails exactly its own cases, a good one fails none."""

import sys
from collections.abc import Collection, Iterable, Mapping
from fnmatch import fnmatchcase
from pathlib import Path

import pytest
from _pytest.mark.structures import ParameterSet

from tests.support.zoo import Specimen, read_specimen, run_cases, specimens
from turnchat.check.case import BOTH, LAB, MUST, TURNCHAT, Case, Role, all_cases, select
from turnchat.check.report import NOT_HELD, CaseResult

GOOD, BAD = specimens("good"), specimens("bad")
LESSON = [sys.executable, "-m"]
OWN = {  # turnchat's own programs, which keep all rules of their profile
    "server": (Role.SERVER, TURNCHAT, ["bin/turnchat-server", "127.0.0.1:{port}"]),
    "server-once": (Role.SERVER, TURNCHAT, ["bin/turnchat-server", "--once", "127.0.0.1:{port}"]),
    "client": (Role.CLIENT, TURNCHAT, ["bin/turnchat-client", "{host}:{port}"]),
} | {
    f"{lesson}-{role}": (role, LAB, [*LESSON, f"turnchat.lessons.{lesson}", role, "{port}"])
    for lesson in ("one_by_one", "select_by_hand")
    for role in (Role.SERVER, Role.CLIENT)
}
SHORT_WRITES = [*LESSON, "turnchat.lessons.short_writes", "server", "{port}"]
OWN["short_writes-server"] = (Role.SERVER, TURNCHAT, SHORT_WRITES)
# Those that make test runs: quick ones, of each role.
SAMPLE = {
    *("succeeds_without_server.py", "unpadded_header.py", "counts_characters.py"),
    *("acknowledges.py", "exit_status_1.py"),
}
# A pair is two programs, and the zoo has single ones: a bad one beside a good one is tried there.
SINGLE = [one for one in all_cases() if Role.PAIR not in one.roles]
BY_ROLE = {role: {one.id: one for one in select(role, TURNCHAT)} for role in BOTH}

every_bad = pytest.mark.parametrize("bad", BAD, ids=lambda one: one.name)


def marks(name: str, number: int = 0) -> Collection[pytest.MarkDecorator]:
    if name in SAMPLE:
        return ()
    return (pytest.mark.sweep,) if number % 3 else (pytest.mark.slow,)


def sampled(programs: Iterable[Specimen]) -> list[ParameterSet]:
    """Return the programs as parameters.

    The sample is run each time, and a third of the rest in continuous integration.
    """
    return [
        pytest.param(one, id=one.name, marks=marks(one.path.name, number))
        for number, one in enumerate(programs)
    ]


def reasons(results: Mapping[str, CaseResult]) -> dict[str, str]:
    """Return the cases that fell short, with the reasons."""
    return {
        name: f"{result.verdict}: {result.reason}"
        for name, result in results.items()
        if result.verdict in NOT_HELD
    }


def must_fail_its_own(bad: Specimen, results: Mapping[str, CaseResult]) -> None:
    short = reasons(results)
    skipped = {name for name, result in results.items() if result.depends_on}
    assert short.keys() == {name for name in results if bad.must_fail(name)} - skipped, short
    assert not [one for one in short.values() if one.startswith("error")], short
    for glob in bad.fails:
        assert any(fnmatchcase(name, glob) for name in short), (glob, short)


@pytest.mark.parametrize("bad", sampled(BAD))
def test_a_broken_program_fails_its_own_cases(bad: Specimen, tmp_path: Path) -> None:
    """With the cases that those come after, which it passes."""
    command = bad.command(tmp_path)
    must_fail_its_own(bad, run_cases(bad.role, bad.profile, command, bad.fails))


def sparse(programs: Iterable[Specimen]) -> list[ParameterSet]:
    """Return the programs as parameters. A few are run in continuous integration."""
    return [
        pytest.param(one, id=one.name, marks=() if number % 32 == 0 else (pytest.mark.sweep,))
        for number, one in enumerate(programs)
    ]


@pytest.mark.slow
@pytest.mark.parametrize("bad", sparse(BAD))
def test_a_broken_program_fails_no_others(bad: Specimen, tmp_path: Path) -> None:
    must_fail_its_own(bad, run_cases(bad.role, bad.profile, bad.command(tmp_path)))


PAUSE = "    global count\n    count += 1\n    if count == 3:\n        time.sleep(0.8)\n"


@pytest.mark.slow
def test_a_slow_answer_is_not_taken_for_a_full_kernel(tmp_path: Path) -> None:
    """A server that waits for room fails, also if one of its answers was late."""
    (bad,) = [one for one in BAD if one.path.name == "waits_for_room.py"]
    code = bad.path.read_text().replace("def answer():\n", f"def answer():\n{PAUSE}")
    assert PAUSE in code
    late = tmp_path / "late.py"
    late.write_text(code.replace("\nMOST = ", "\nimport time\n\ncount = 0\nMOST = ", 1))
    command = [sys.executable, str(late), "{port}"]
    must_fail_its_own(bad, run_cases(bad.role, bad.profile, command, bad.fails))


@pytest.mark.parametrize("good", sampled(GOOD))
def test_a_good_program_passes(good: Specimen, tmp_path: Path) -> None:
    results = run_cases(good.role, good.profile, good.command(tmp_path))
    assert not reasons(results)
    assert not [result for result in results.values() if result.depends_on]


@pytest.mark.parametrize("name", [pytest.param(name, marks=marks(name)) for name in OWN])
def test_our_own_programs_pass(name: str) -> None:
    role, profile, command = OWN[name]
    assert not reasons(run_cases(role, profile, command))


def test_the_sample_is_there_in_each_role() -> None:
    sample = [one for one in BAD if one.path.name in SAMPLE]
    assert {one.path.name for one in sample} == SAMPLE
    assert {one.role for one in sample} == {Role.SERVER, Role.CLIENT}


@pytest.mark.parametrize(
    ("role", "one"),
    [
        pytest.param(role, one, id=f"{role}-{one.id}")
        for role in BOTH
        for one in BY_ROLE[role].values()
    ],
)
def test_each_case_is_failed_by_a_program_of_each_role(role: Role, one: Case) -> None:
    mine = [bad for bad in BAD if bad.role is role and bad.profile in (one.profile, TURNCHAT)]
    assert [bad.name for bad in mine if bad.must_fail(one.id) and not is_skipped(bad, one)]


def is_skipped(bad: Specimen, one: Case) -> bool:
    """Return True if the program fails a case without which this one is not tried."""
    cases = BY_ROLE[bad.role]
    return any(
        (bad.must_fail(name) and cases[name].level is MUST) or is_skipped(bad, cases[name])
        for name in one.after
        if name in cases
    )


@every_bad
def test_a_broken_program_names_cases_that_there_are(bad: Specimen) -> None:
    assert bad.fails
    for glob in bad.fails:
        assert [one for one in SINGLE if bad._replace(fails=[glob]).must_fail(one.id)], glob


def test_a_good_program_is_said_to_fail_nothing() -> None:
    assert GOOD
    assert not [good.name for good in GOOD if good.fails]


def test_a_program_without_its_comment_is_refused(tmp_path: Path) -> None:
    written = tmp_path / "nameless.py"
    written.write_text("# A server.\n# zoo: server lab\n")
    with pytest.raises(ValueError, match=r"nameless\.py does not say"):
        read_specimen(written)


def test_the_comment_of_a_program_in_c_is_read(tmp_path: Path) -> None:
    written = tmp_path / "example.c"
    written.write_text("/* A client.\n * zoo: client turnchat\n * fails: end/* many/two */\n */\n")
    assert read_specimen(written)[1:] == (Role.CLIENT, TURNCHAT, ["end/*", "many/two"])
