"""The files of a class, shared out: which student each one belongs to.

A file belongs to the student whom the course system names in its path; else to the folder with an
ID it lies in; else to the ID in its name; else to its folder. So no student can put a file into
another's hand-in. The folder of a student in which no program is known has a hand-in, too.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from turnchat.check.case import CLIENT, SERVER, Role
from turnchat.check.lab.hand_ins.exports import (
    METADATA,
    Owner,
    blackboard_student,
    gradescope_students,
    owner_of,
)
from turnchat.check.lab.hand_ins.folders import with_ids, without_programs
from turnchat.check.lab.hand_ins.names import read_folder, read_name
from turnchat.check.lab.hand_ins.search import Found, Notice, Search
from turnchat.text import safe

MOST_NOTICES = 1000  # that belong to no hand-in
MOST_TEXT = 1 << 20  # bytes of a course system's own file


class Candidate(NamedTuple):
    """A file that may be the program of a role. is_plain: its name is no more than role and ID."""

    found: Found
    role: Role
    id: str
    is_plain: bool


class Group:
    """All that is known of one student's hand-in.

    others: paths of files that are no programs. folders: all in them is the student's.
    """

    def __init__(self, owner: Owner) -> None:
        self.key, self.name, self.number = owner.key, owner.name, ""
        self.candidates: list[Candidate] = []
        self.others: list[str] = []
        self.folders: list[Sequence[str]] = []
        self.problems: list[str] = []
        self.is_late = False


def groups_of(search: Search, match: re.Pattern[str] | None) -> tuple[list[Group], list[str]]:
    """Return all hand-ins, and the notices that belong to none of them."""
    files = list(search.files())
    groups: dict[str, Group] = {}
    owners = _group(files, search.folders, match, groups)
    _add_folders(search.folders, owners, groups)
    notices = _share_out(search.notices, groups)
    _add_names(files, groups)
    return list(groups.values()), [safe(one) for one in notices[:MOST_NOTICES]]


def _group(
    files: Iterable[Found],
    folders: Iterable[Sequence[str]],
    match: re.Pattern[str] | None,
    groups: dict[str, Group],
) -> dict[Sequence[str], str]:
    """Give each program to its hand-in. Return the key of the hand-in of each file, or ""."""
    owners: dict[Sequence[str], str] = {}
    without_owner: list[Candidate] = []
    for folder in folders:  # a student who handed in nothing has a folder, too
        owner, _ = owner_of([*folder, ""])
        if owner:
            groups.setdefault(owner.key, Group(owner))
            owners[(*folder, "")] = owner.key
    for found in files:
        owner, rest = owner_of(found.parts)
        candidate = _by_match(found, match) if match else _by_name(found, rest)
        owners[tuple(found.parts)] = owner.key if owner else ""
        if owner:
            group = groups.setdefault(owner.key, Group(owner))
            group.is_late |= owner.is_late
            if candidate:
                group.candidates.append(candidate)
            elif list(rest) != [".txt"]:  # Blackboard's own
                group.others.append("/".join(rest) or found.parts[-1])
        elif candidate:
            without_owner.append(candidate)
    if not match:  # it says where the ID is
        programs = {tuple(one.found.parts): one.id for one in without_owner}
        without_owner = _in_folders(without_owner, with_ids(programs), groups, owners)
    ids: dict[tuple[str, ...], set[str]] = {}
    for one in without_owner:
        ids.setdefault(tuple(one.found.parts[:-1]), set()).update([one.id] if one.id else [])
    for one in without_owner:
        folder = tuple(one.found.parts[:-1])
        number = one.id or (min(ids[folder]) if len(ids[folder]) == 1 else "")
        key = f"id:{number.casefold()}" if number else f"folder:{'/'.join(folder)}"
        group = groups.setdefault(key, Group(Owner(key)))
        if not number and folder:
            group.number, group.name = read_folder(folder[-1])
        group.candidates.append(one)
        owners[tuple(one.found.parts)] = key
    return owners


def _in_folders(
    candidates: Iterable[Candidate],
    numbers: Mapping[tuple[str, ...], str],
    groups: dict[str, Group],
    owners: dict[Sequence[str], str],
) -> list[Candidate]:
    """Give the programs in folders with an ID to their students. Return the rest."""
    rest: list[Candidate] = []
    for one in candidates:
        parts = tuple(one.found.parts)
        folder = next((parts[:end] for end in range(len(parts)) if parts[:end] in numbers), None)
        if folder is None:
            rest.append(one)
            continue
        number = numbers[folder]
        key = f"id:{number.casefold()}"
        group = groups.setdefault(key, Group(Owner(key)))
        group.number = number
        if folder not in group.folders:
            group.folders.append(folder)
        group.candidates.append(one)
        owners[parts] = key
    return rest


def _add_folders(
    folders: Iterable[Sequence[str]],
    owners: Mapping[Sequence[str], str],
    groups: dict[str, Group],
) -> None:
    """Add a hand-in for each folder of a student in which there is no program."""
    for folder in without_programs(folders, owners):
        key = f"folder:{'/'.join(folder)}"
        group = groups[key] = Group(Owner(key))
        group.number, group.name = read_folder(folder[-1])
        group.folders.append(folder)
        inside = (path[len(folder) :] for path in owners if tuple(path[: len(folder)]) == folder)
        group.others = ["/".join(path) for path in inside]


def _by_name(found: Found, rest: Sequence[str]) -> Candidate | None:
    name = read_name(rest[-1]) if rest else None
    if not name:
        return None
    return Candidate(found, name.role, name.id, name.is_plain and len(rest) <= 2)


def _by_match(found: Found, pattern: re.Pattern[str]) -> Candidate | None:
    match = pattern.search("/".join(found.parts))
    if not match or not match["id"]:
        return None
    role = {"s": SERVER, "c": CLIENT}.get((match["role"] or "")[:1].lower())
    return Candidate(found, role, match["id"], True) if role else None


def _share_out(notices: Iterable[Notice], groups: dict[str, Group]) -> list[str]:
    """Give each notice to its hand-in. Return those that belong to none."""
    rest = []
    for parts, text in notices:
        owner, _ = owner_of(parts)
        sentence = f"{'/'.join(parts)}: {text}" if parts else text
        under = [
            group
            for group in groups.values()
            if any(_is_beside(parts, one.found.parts) for one in group.candidates)
        ]
        in_folder = [
            group
            for group in groups.values()
            if any(tuple(parts[: len(one)]) == tuple(one) for one in group.folders)
        ]
        if owner:
            groups.setdefault(owner.key, Group(owner)).problems.append(sentence)
        elif len(in_folder or under) == 1 and parts:
            (in_folder or under)[0].problems.append(sentence)
        elif len(parts) == 1 and (name := read_name(parts[0])) and name.id:
            key = f"id:{name.id.casefold()}"
            groups.setdefault(key, Group(Owner(key))).problems.append(sentence)
        else:
            rest.append(sentence)
    return rest


def _is_beside(parts: Sequence[str], program: Sequence[str]) -> bool:
    """Return True if a path lies in the folder of a program, or has the program in it."""
    folder = list(program[:-1])
    return (bool(folder) and list(parts[: len(folder)]) == folder) or (
        list(program[: len(parts)]) == list(parts)
    )


def _add_names(files: Iterable[Found], groups: Mapping[str, Group]) -> None:
    """Take names from the files that the course systems add."""
    for found in files:
        owner, rest = owner_of(found.parts)
        if found.parts[-1] == METADATA:
            for key, (name, number) in gradescope_students(_text(found.path)).items():
                if key in groups:
                    groups[key].name, groups[key].number = name, number
        elif owner and owner.key.startswith("blackboard:") and list(rest) == [".txt"]:
            student = blackboard_student(_text(found.path))
            if student and student[0] in groups:
                groups[student[0]].name = student[1]


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(MOST_TEXT).decode(errors="replace")
    except OSError:
        return ""
