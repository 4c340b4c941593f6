"""The folders of students: those with an ID in their names, and those without a known program.

All that lies in a folder with an ID is that student's, whatever IDs the files in it have. But a
folder may also be called after the course or the day, and files of many students lie in it. So the
IDs of folders count where files agree: in most of the folders beside it, or in the files there.

The folders of one level belong to students, or to sections of the class with the students' folders
in them. A level is one of sections if a folder of it has the programs of several students, or if it
is the top, and one folder is all there is: an export often lies in a folder of its own. A folder
with an ID in its name is no section.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from turnchat.check.lab.hand_ins.names import read_folder

Parts = tuple[str, ...]


def with_ids(programs: Mapping[Parts, str]) -> dict[Parts, str]:
    """Return the IDs of the students who have a folder, by the paths of the outermost ones.

    `programs`: the IDs in their names, or "", by their paths.
    """
    below: dict[Parts, set[Parts]] = {}
    inside: dict[Parts, set[str]] = {}  # the IDs of all files in a folder, and in those in it
    beside: dict[Parts, set[str]] = {}  # those of the files that lie in it themselves
    for path, number in programs.items():
        beside.setdefault(path[:-1], set()).add(_form(number))
        for length in range(1, len(path)):
            below.setdefault(path[: length - 1], set()).add(path[:length])
            inside.setdefault(path[:length], set()).add(number.casefold())
    found: dict[Parts, str] = {}
    levels: list[Parts] = [()]
    while levels:
        level = levels.pop()
        folders = below.get(level, set())
        numbers = {one: read_folder(one[-1])[0] for one in folders}
        named = {one: number for one, number in numbers.items() if number}
        agreeing = [one for one, number in named.items() if number.casefold() in inside[one]]
        is_wrapped = len(folders) == 1 and level not in beside
        counts = len(agreeing) * 2 > len(named) and not (
            is_wrapped and any(len(inside[one] - {""}) > 1 for one in folders)
        )
        for one in folders:
            if one in named and (counts or _form(named[one]) in beside.get(level, ())):
                found[one] = named[one]
            else:
                levels.append(one)
    return found


def _form(number: str) -> str:
    """Return the form of an ID: its digits are nines, its letters are "a"."""
    return re.sub(r"[^\W\d]", "a", re.sub(r"\d", "9", number))


def without_programs(
    folders: Iterable[Sequence[str]], owners: Mapping[Sequence[str], str]
) -> Iterator[Parts]:
    """Give the folder of each student that has no file with an owner.

    `folders`: the paths of all, zip files too. `owners`: the hand-ins' keys, by the paths of files;
    a file that belongs to none has an empty key.
    """
    below: dict[Parts, list[Parts]] = {}
    for folder in map(tuple, folders):
        below.setdefault(folder[:-1], []).append(folder)
    keys: dict[Parts, set[str]] = {}
    beside: dict[Parts, set[str]] = {}  # keys of the files that lie in a folder itself
    for path, key in owners.items():
        beside.setdefault(tuple(path[:-1]), set()).add(key)
        for length in range(len(path)):
            keys.setdefault(tuple(path[:length]), set()).update([key] if key else [])
    levels: list[tuple[Parts, bool]] = [((), True)]
    while levels:
        level, is_top = levels.pop()
        inside = below.get(level, [])
        is_wrapped = is_top and len(inside) == 1 and level not in beside
        are_sections = is_wrapped or any(len(keys.get(one, ())) > 1 for one in inside)
        is_flat = any(beside.get(level, ()))  # the folders in it may have other things in them
        for folder in inside:
            number, _ = read_folder(folder[-1])
            if are_sections and folder in below and not number:
                levels.append((folder, is_wrapped))
            elif not keys.get(folder) and (number or not is_flat):
                yield folder
