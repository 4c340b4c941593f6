"""The hand-ins of a class: which files are whose server and client.

Where a student has two different files for one program, or none, the hand-in says so: it is never
guessed.
"""

import filecmp
import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from turnchat.check.case import CLIENT, SERVER, Role
from turnchat.check.lab.hand_ins.groups import Candidate, Group, groups_of
from turnchat.check.lab.hand_ins.names import read_folder
from turnchat.check.lab.hand_ins.search import Search

PROGRAMS = (SERVER, CLIENT)
LARGEST = 1 << 20  # bytes of a program that is looked at
MOST_SHOWN = 5  # names of files in a sentence
NUMBERED = ("moodle", "canvas", "gradescope")  # by numbers of their own
SAME_ID = "another hand-in has the same ID"
COUNTS = {2: "two", 3: "three"}


class HandIn(NamedTuple):
    """The work of one student.

    key: tells it apart from all others, also in the next run. files: the program of each role,
    where there is exactly one. paths: their paths in the export. folder: all of it is the
    student's; None if others' files lie there too. problems: sentences for the marker.
    is_in_order: both files are there, once, under the right names. not_chosen: why there is no
    program of a role. disorder: the problems for which it is not in order.
    """

    key: str
    id: str
    name: str
    files: Mapping[Role, Path]
    paths: Mapping[Role, str]
    folder: Path | None
    problems: Sequence[str]
    is_in_order: bool
    not_chosen: Mapping[Role, str] = MappingProxyType({})
    disorder: Sequence[str] = ()

    @property
    def own_id(self) -> str:
        """The student's ID, or "" if `id` is a number of the course system, or a folder's name."""
        kind, _, end = self.key.partition(":")
        if kind == "folder":
            return read_folder(end.rpartition("/")[2])[0]
        return "" if kind in NUMBERED and self.id == end else self.id

    def digest(self) -> str:
        """Return a hash of the programs, to see in the next run that they are the same."""
        total = hashlib.sha256()
        for role in PROGRAMS:
            data = self.files[role].read_bytes() if role in self.files else b""
            total.update(b"%d:%b" % (len(data), data))
        return total.hexdigest()


class Class(NamedTuple):
    """All hand-ins, and the notices about files that belong to none of them.

    programs: the number of files that are known as programs by their names.
    """

    hand_ins: Sequence[HandIn]
    notices: Sequence[str]
    programs: int


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
    groups, notices = groups_of(Search(root, scratch), match)
    folders = _folders_of(groups)
    hand_ins = [_resolve(group, folders) for group in groups]
    ordered = sorted(hand_ins, key=lambda one: (one.id, one.key))
    programs = sum(len(group.candidates) for group in groups)
    return Class(_with_doubled_ids(ordered), notices, programs)


def _folders_of(groups: Iterable[Group]) -> dict[Path, set[str]]:
    """Return the hand-ins that have a program in each folder."""
    folders: dict[Path, set[str]] = {}
    for group in groups:
        for one in group.candidates:
            folders.setdefault(one.found.path.parent, set()).add(group.key)
    return folders


def _resolve(group: Group, folders: Mapping[Path, set[str]]) -> HandIn:
    files: dict[Role, Path] = {}
    paths: dict[Role, str] = {}
    problems: list[str] = []
    not_chosen: dict[Role, str] = {}
    remarks: list[str] = []  # the submission is in order all the same
    kind, _, end = group.key.partition(":")
    own = group.number.casefold() if kind == "id" else ""  # that of the student's folder
    for role in PROGRAMS:
        all_of_role = [one for one in group.candidates if one.role is role]
        candidates = [one for one in all_of_role if not _is_of_another(one, own)] or all_of_role
        try:
            chosen = _choose(role, candidates)
        except _NotChosen as error:
            not_chosen[role] = str(error)
            problems.append(str(error))
            continue
        finally:
            others = [one for one in all_of_role if _is_of_another(one, own)]
            if others:
                taken = problems if others == candidates else remarks
                taken.append(f"another ID than that of its folder: {_shown(others)}")
        files[role], paths[role] = chosen.found.path, "/".join(chosen.found.parts)
        if chosen.is_plain and (others := [one for one in candidates if _differs(one, chosen)]):
            remarks.append(f"its {role} is {chosen.found.parts[-1]}, not {_shown(others)}")
    problems = _with_missing(problems, group)
    spellings = sorted({one.id for one in group.candidates if one.id and not own})
    ids = {one.casefold(): one for one in spellings}
    if len(ids) > 1:
        problems.append(f"the names of its files have different IDs: {', '.join(ids.values())}")
    elif len(spellings) > 1:
        remarks.append(f"one ID in upper and in lower case: {', '.join(spellings)}")
    if not ids and files and not any(one.id for one in group.candidates):
        problems.append("the names of its files have no ID")
    if group.is_late:
        remarks.append("the course system calls it late")
    number = " / ".join(ids.values()) or group.number or end or "(no ID)"
    parents = {path.parent for path in files.values()}
    folder = parents.pop() if len(parents) == 1 else None
    if folder and (folders[folder] != {group.key} or kind in ("canvas", "blackboard")):
        folder = None
    is_in_order = len(files) == len(PROGRAMS) and not problems
    return HandIn(
        group.key, number, group.name, files, paths, folder,
        [*problems, *remarks, *group.problems], is_in_order, not_chosen, problems,
    )  # fmt: skip


def _with_missing(problems: list[str], group: Group) -> list[str]:
    """Return the problems, with the files that lie where a program is missing."""
    missing = [f"there is no {role}" for role in PROGRAMS if f"there is no {role}" in problems]
    if len(missing) == len(PROGRAMS):
        problems = ["no program found: no file is called client_ID or server_ID"]
    if missing and group.others:
        problems.append(f"other files there: {_some(group.others)}")
    elif not group.candidates and not group.others and not group.problems:
        problems.append("there are no files")
    return problems


class _NotChosen(Exception):
    """No program can be taken for a role. The text says why."""


def _choose(role: Role, candidates: Sequence[Candidate]) -> Candidate:
    """Return the one program of a role. Raises _NotChosen."""
    plain = [one for one in candidates if one.is_plain] or candidates
    different: dict[bytes, Candidate] = {}
    for one in plain:
        name = one.found.parts[-1]
        try:
            if one.found.path.stat().st_size > LARGEST:
                raise _NotChosen(f"{name} has over {LARGEST >> 20} MiB: no program")
            different.setdefault(one.found.path.read_bytes(), one)
        except OSError as error:
            raise _NotChosen(f"{name} cannot be read: {error.strerror}") from error
    if not different:
        raise _NotChosen(f"there is no {role}")
    if len(different) > 1:
        number = COUNTS.get(len(different), len(different))
        shown = _shown(list(different.values()))
        raise _NotChosen(f"{number} {role}s, which differ, so none is taken: {shown}")
    return next(iter(different.values()))


def _is_of_another(one: Candidate, own: str) -> bool:
    """Return True if a program's name has another ID than its folder."""
    return bool(own and one.id) and one.id.casefold() != own


def _differs(one: Candidate, chosen: Candidate) -> bool:
    with suppress(OSError):
        return not filecmp.cmp(one.found.path, chosen.found.path, shallow=False)
    return True


def _shown(candidates: Sequence[Candidate]) -> str:
    return _some(["/".join(one.found.parts) for one in candidates])


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - MOST_SHOWN} more" if len(names) > MOST_SHOWN else ""
    return ", ".join(names[:MOST_SHOWN]) + more


def _with_doubled_ids(hand_ins: Sequence[HandIn]) -> list[HandIn]:
    """Say it in both. It costs neither a point: one may have copied the other's files."""
    seen: dict[str, list[str]] = {}
    for one in hand_ins:
        seen.setdefault(one.id.casefold(), []).append(one.key)
    return [
        one._replace(problems=[*one.problems, SAME_ID]) if len(seen[one.id.casefold()]) > 1 else one
        for one in hand_ins
    ]
