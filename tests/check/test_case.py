"""The register of the cases, and the choice from it."""

import re

import pytest

from tests.support import ROOT
from turnchat.check.case import (
    GROUPS,
    LAB,
    MUST,
    SHOULD,
    TURNCHAT,
    Case,
    Role,
    Script,
    all_cases,
    case,
    select,
)
from turnchat.check.play import Play
from turnchat.check.steps.program import START_TIMEOUT
from turnchat.check.suite import Task

LONGEST_RULE = 25  # words
PROTOCOL = (ROOT / "turnchat" / "PROTOCOL.md").read_text()
CASES = all_cases()
BY_ID = {one.id: one for one in CASES}
each = pytest.mark.parametrize("one", CASES, ids=lambda one: one.id)


@each
def test_an_id_has_a_group_and_a_readable_name(one: Case) -> None:
    assert re.fullmatch(r"[a-z]+(/[a-z0-9-]+){1,2}", one.id)
    assert one.group in GROUPS


@each
def test_a_rule_is_a_sentence(one: Case) -> None:
    assert re.fullmatch(r"[A-Z0-9].*\.", one.rule)
    assert len(one.rule.split()) <= LONGEST_RULE


@each
def test_a_section_is_a_heading_of_the_protocol(one: Case) -> None:
    assert one.section in re.findall(r"^## (.+)$", PROTOCOL, re.MULTILINE)


@each
def test_a_rule_that_is_not_for_the_wire_is_one_for_programs(one: Case) -> None:
    if one.group in ("start", "many", "loop") or one.id.endswith("/reason"):
        assert one.section == "Programs"


def test_the_protocol_gives_the_times_of_the_cases() -> None:
    protocol, timeout = PROTOCOL.replace("\n  ", " "), Task("", Role.CLIENT, {}).timeout
    assert f"listens within {START_TIMEOUT:g} seconds of its start" in protocol
    assert f"exits within {timeout:g} seconds, with status 0" in protocol


@each
def test_a_hint_is_there_and_in_sentences(one: Case) -> None:
    assert re.fullmatch(r"\S.*[.!)`]", one.hint, re.DOTALL)
    assert "  " not in one.hint


@each
def test_a_case_comes_after_others_that_its_roles_try(one: Case) -> None:
    for role in one.roles:
        found = {other.id for other in select(role, TURNCHAT)}
        known = [name for name in one.after if name in found]
        assert known or not one.after or role is Role.PAIR, role
    assert all(name in BY_ID for name in one.after)


@each
def test_no_case_comes_after_itself(one: Case) -> None:
    seen: set[str] = set()
    found = list(one.after)
    while found:
        name = found.pop()
        if name not in seen:
            seen.add(name)
            found += BY_ID[name].after
    assert one.id not in seen


def test_the_cases_are_in_the_order_of_their_groups() -> None:
    groups = [GROUPS.index(one.group) for one in CASES]
    assert groups == sorted(groups)


def test_a_case_brings_all_that_it_comes_after() -> None:
    names = [one.id for one in select(Role.CLIENT, LAB, ["frame/empty"])]
    assert {"start/connects", "frame/message", "turn/one", "turn/two", "frame/empty"} <= set(names)
    assert "frame/split/body" not in names
    assert "start/listens" not in names


def test_a_case_that_is_skipped_is_not_brought() -> None:
    names = [one.id for one in select(Role.CLIENT, LAB, ["frame/*"], ["frame/split/*"])]
    assert "frame/empty" in names
    assert not [name for name in names if name.startswith("frame/split/")]


def test_a_profile_has_its_cases_alone() -> None:
    lab, all_of_it = select(Role.SERVER, LAB), select(Role.SERVER, TURNCHAT)
    assert {one.id for one in lab} <= {one.id for one in all_of_it}
    assert not [one.id for one in lab if one.profile is TURNCHAT]


@pytest.mark.parametrize("glob", ["frame/nothing", "start/listens"])
def test_a_glob_that_no_case_matches_is_refused(glob: str) -> None:
    with pytest.raises(ValueError, match="no case of this role"):
        select(Role.CLIENT, LAB, [glob])


def test_a_rule_needs_its_docstring() -> None:
    def nameless(play: Play) -> Script:
        yield from ()

    with pytest.raises(AssertionError):
        case("frame/nameless", section="Messages", hint="")(nameless)


def test_an_id_is_given_once() -> None:
    def again(play: Play) -> Script:
        """Say it again."""
        yield from ()

    with pytest.raises(AssertionError):
        case("frame/message", section="Messages", hint="")(again)


def test_the_levels_are_those_of_the_rules() -> None:
    assert BY_ID["frame/message"].level is MUST
    assert BY_ID["frame/segment"].level is SHOULD
