"""The hand-ins of a class: which files are whose server and client.

A file belongs to the student whom the course system names in its path; else to the ID in its name;
else to its folder. Where that leaves two files for one program, or none, the hand-in says so: it is
never guessed.
"""

import hashlib
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
from turnchat.check.lab.hand_ins.languages import LANGUAGES
from turnchat.check.lab.hand_ins.search import Found, Notice, Search

PROGRAMS = (SERVER, CLIENT)
SUFFIXES = "|".join(suffix[1:] for suffix in LANGUAGES)
ID = r"(?=[^\W_]*\d[^\W_]*)[^\W_]{4,}"  # four letters or more, and a digit among them
# client_12345678d.py, Server.java, "12345678d_client (1).py", lab1-server-12345678d-2.py
PROGRAM = re.compile(
    rf"(?P<before>.*?)(?:(?<![^\W_])(?P<first>{ID})[ _-]+)?"
    rf"(?:(?<![A-Za-z])|(?<=[a-z])(?=[CS]))(?P<role>[Cc]lient|[Ss]erver|CLIENT|SERVER)"
    rf"(?:[ _-]*(?P<id>{ID}))?(?:-(?P<again>\d{{1,2}}))?(?: ?\((?P<copy>\d+)\))?"
    rf"\.(?i:{SUFFIXES})"
)
LARGEST = 1 << 20  # bytes of a program that is looked at
MOST_TEXT = 1 << 20  # bytes of a course system's own file


class HandIn(NamedTuple):
    """The work of one student.

    key: tells it apart from all others, also in the next run. files: the program of each role,
    where there is exactly one. paths: their paths in the export. folder: all of it is the
    student's; None if others' files lie there too. problems: sentences for the marker.
    is_in_order: both files are there, once, under the right names.
    """

    key: str
    id: str
    name: str
    files: Mapping[Role, Path]
    paths: Mapping[Role, str]
    folder: Path | None
    problems: Sequence[str]
    is_in_order: bool

    def digest(self) -> str:
        """Return a hash of the programs, to see in the next run that they are the same."""
        total = hashlib.sha256()
        for role in PROGRAMS:
            data = self.files[role].read_bytes() if role in self.files else b""
            total.update(b"%d:%b" % (len(data), data))
        return total.hexdigest()


class Class(NamedTuple):
    """All hand-ins, and the notices about files that belong to none of them."""

    hand_ins: Sequence[HandIn]
    notices: Sequence[str]


class _Candidate(NamedTuple):
    """A file that may be the program of a role. is_plain: its name is no more than role and ID."""

    found: Found
    role: Role
    id: str
    is_plain: bool


class _Group:
    """All that is known of one student's hand-in."""

    def __init__(self, owner: Owner) -> None:
        self.key, self.name, self.number = owner.key, owner.name, ""
        self.candidates: list[_Candidate] = []
        self.problems: list[str] = []
        self.is_late = False


def pattern(text: str) -> re.Pattern[str]:
    """Return the regular expression of --match. Raises ValueError."""
    try:
        made = re.compile(text)
    except re.error as error:
        raise ValueError(f"{text!r} is not a regular expression: {error}") from error
    missing = {"role", "id"} - made.groupindex.keys()
    if missing:
        raise ValueError(f"{text!r} has no group (?P<{min(missing)}>...)")
    return made


def find(root: Path, scratch: Path, match: re.Pattern[str] | None = None) -> Class:
    """Return the hand-ins in a folder, or in a zip file. Raises OSError.

    `match`: how a path gives role and ID away, if not by the usual names. `scratch`: an empty
    folder, which must stay as long as the hand-ins are used.
    """
    search = Search(root, scratch)
    files = list(search.files())
    groups: dict[str, _Group] = {}
    _group(files, match, groups)
    notices = _share_out(search.notices, groups)
    _add_names(files, groups)
    folders = _folders_of(groups.values())
    hand_ins = [_resolve(group, folders) for group in groups.values()]
    return Class(_with_doubled_ids(sorted(hand_ins, key=lambda one: (one.id, one.key))), notices)


def _group(
    files: Iterable[Found], match: re.Pattern[str] | None, groups: dict[str, _Group]
) -> None:
    without_owner: list[_Candidate] = []
    for found in files:
        owner, rest = owner_of(found.parts)
        if owner:
            group = groups.setdefault(owner.key, _Group(owner))
            group.is_late |= owner.is_late
        candidate = _by_match(found, match) if match else _by_name(found, rest)
        if candidate is None:
            continue
        if owner and not match:
            groups[owner.key].candidates.append(candidate)
        else:
            without_owner.append(candidate)
    ids: dict[tuple[str, ...], set[str]] = {}
    for one in without_owner:
        ids.setdefault(tuple(one.found.parts[:-1]), set()).update([one.id] if one.id else [])
    for one in without_owner:
        folder = tuple(one.found.parts[:-1])
        number = one.id or (min(ids[folder]) if len(ids[folder]) == 1 else "")
        key = f"id:{number.casefold()}" if number else f"folder:{'/'.join(folder)}"
        owner = Owner(key, "" if number or not folder else folder[-1])
        groups.setdefault(key, _Group(owner)).candidates.append(one)


def _by_name(found: Found, rest: Sequence[str]) -> _Candidate | None:
    match = PROGRAM.fullmatch(rest[-1]) if rest else None
    if not match:
        return None
    number = match["id"] or match["first"] or ""
    is_plain = not match["before"] and not match["copy"] and len(rest) <= 2
    return _Candidate(found, Role(match["role"].lower()), number, is_plain)


def _by_match(found: Found, pattern: re.Pattern[str]) -> _Candidate | None:
    match = pattern.search("/".join(found.parts))
    if not match or not match["id"]:
        return None
    role = {"s": SERVER, "c": CLIENT}.get((match["role"] or "")[:1].lower())
    return _Candidate(found, role, match["id"], True) if role else None


def _share_out(notices: Iterable[Notice], groups: dict[str, _Group]) -> list[str]:
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
        if owner:
            groups.setdefault(owner.key, _Group(owner)).problems.append(sentence)
        elif len(under) == 1 and parts:
            under[0].problems.append(sentence)
        else:
            rest.append(sentence)
    return rest


def _is_beside(parts: Sequence[str], program: Sequence[str]) -> bool:
    """Return True if a path lies in the folder of a program, or has the program in it."""
    folder = list(program[:-1])
    return (bool(folder) and list(parts[: len(folder)]) == folder) or (
        list(program[: len(parts)]) == list(parts)
    )


def _add_names(files: Iterable[Found], groups: Mapping[str, _Group]) -> None:
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


def _folders_of(groups: Iterable[_Group]) -> dict[Path, set[str]]:
    """Return the hand-ins that have a program in each folder."""
    folders: dict[Path, set[str]] = {}
    for group in groups:
        for one in group.candidates:
            folders.setdefault(one.found.path.parent, set()).add(group.key)
    return folders


def _resolve(group: _Group, folders: Mapping[Path, set[str]]) -> HandIn:
    files: dict[Role, Path] = {}
    paths: dict[Role, str] = {}
    problems: list[str] = []
    for role in PROGRAMS:
        chosen, problem = _choose(role, [one for one in group.candidates if one.role is role])
        if problem:
            problems.append(problem)
        if chosen:
            files[role], paths[role] = chosen.found.path, "/".join(chosen.found.parts)
    ids = {one.id.casefold(): one.id for one in group.candidates if one.id}
    if len(ids) > 1:
        problems.append(f"the names of its files have different IDs: {', '.join(ids.values())}")
    if not ids and files:
        problems.append("the names of its files have no ID")
    is_in_order = len(files) == len(PROGRAMS) and not problems
    if group.is_late:
        problems.append("the course system calls it late")
    kind, _, end = group.key.partition(":")
    number = " / ".join(ids.values()) or group.number
    parents = {path.parent for path in files.values()}
    folder = parents.pop() if len(parents) == 1 else None
    if folder and (folders[folder] != {group.key} or kind in ("canvas", "blackboard")):
        folder = None
    return HandIn(
        group.key, number or end, group.name, files, paths, folder,
        [*problems, *group.problems], is_in_order,
    )  # fmt: skip


def _choose(role: Role, candidates: Sequence[_Candidate]) -> tuple[_Candidate | None, str]:
    """Return the one program of a role, or the problem."""
    plain = [one for one in candidates if one.is_plain] or candidates
    different: dict[bytes, _Candidate] = {}
    for one in plain:
        try:
            if one.found.path.stat().st_size > LARGEST:
                return None, f"{one.found.parts[-1]} has over {LARGEST >> 20} MiB: no program"
            different.setdefault(one.found.path.read_bytes(), one)
        except OSError as error:
            return None, f"{one.found.parts[-1]} cannot be read: {error.strerror}"
    if not different:
        return None, f"there is no {role}"
    if len(different) > 1:
        names = ", ".join("/".join(one.found.parts) for one in different.values())
        return None, f"there are {len(different)} different files for the {role}: {names}"
    return next(iter(different.values())), ""


def _with_doubled_ids(hand_ins: Sequence[HandIn]) -> list[HandIn]:
    seen: dict[str, list[str]] = {}
    for one in hand_ins:
        seen.setdefault(one.id.casefold(), []).append(one.key)
    return [
        one._replace(problems=[*one.problems, "another hand-in has the same ID"], is_in_order=False)
        if len(seen[one.id.casefold()]) > 1
        else one
        for one in hand_ins
    ]
