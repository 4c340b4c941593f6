"""The names of programs: client_ID.py and server_ID.py, and all that people and systems make of it.

A file that came twice has a mark in its name: "-1" by Canvas, " (1)" by browsers and Moodle,
" - Copy" by Windows, " copy 2" and " 2" by macOS, " (copy)" by Linux. People write "final", "v2".
Such a file is as good as one without a mark, and beside one it is a second program.

A letter with an accent may be one character or two (macOS): both are one name (NFC).
"""

import re
from typing import NamedTuple
from unicodedata import normalize

from turnchat.check.case import Role
from turnchat.check.lab.hand_ins.languages import LANGUAGES

SUFFIXES = "|".join(suffix[1:] for suffix in LANGUAGES)
COPY = r"copy|kopie|copie|copia|副本"
VERSION = (
    rf"(?:(?:{COPY})(?: (?:of|von|de))?|final|new|old|orig(?:inal)?|latest|updated?|fixed|backup"
    r"|v(?:er(?:sion)?)?[ ._]?\d)"
)
NO_ID = rf"(?:{VERSION}|lab|task|hw|ex)\d*(?![^\W_])"
ID = rf"(?!(?i:{NO_ID}))(?=[^\W_]*\d)[^\W_]{{4,}}"  # 4 or more, and a digit in them
MARK = (
    rf"[ _.-]*(?i:{VERSION})(?:[ _-]?\d{{1,2}})?(?![^\W_])"
    rf"|[ _-]*\((?:\d{{1,3}}|[^()]*(?i:{COPY})[^()]*)\)|[ -]\d{{1,2}}(?![^\W_])"
)
# client_12345678d.py, Server.java, "12345678d_client (1).py", lab1-server-12345678d-2.py
PROGRAM = re.compile(
    rf"(?P<before>.*?)(?:(?<![^\W_])(?P<first>{ID})[ _-]+)?"
    rf"(?:(?<![A-Za-z])|(?<=[a-z])(?=[CS]))(?P<role>[Cc]lient|[Ss]erver|CLIENT|SERVER)"
    rf"(?:[ _-]*(?P<id>{ID})(?:_\d{{1,2}}(?![^\W_]))?)?(?:{MARK}){{0,4}}\.(?i:{SUFFIXES})"
)
BEFORE = re.compile(rf"(?i:{VERSION})\d*")
ARCHIVES = {".rar", ".7z", ".tar", ".gz", ".tgz", ".bz2", ".xz"}  # that are not read
ARCHIVE = re.compile(rf"(?:\.zip|{'|'.join(map(re.escape, sorted(ARCHIVES)))})+$", re.IGNORECASE)
ID_OF_FOLDER = re.compile(r"(?<![^\W_])(?=[^\W_]*\d{4})[^\W_]{5,}")


class Name(NamedTuple):
    """The name of a program. is_plain: it is no more than role and ID, and marks of copies."""

    role: Role
    id: str
    is_plain: bool


def read_name(name: str) -> Name | None:
    """Return the role and the ID that a file's name has, None if it names no program."""
    match = PROGRAM.fullmatch(normalize("NFC", name))
    if match is None:
        return None
    before = match["before"].strip(" _-")
    is_plain = not before or bool(BEFORE.fullmatch(before))
    return Name(Role(match["role"].lower()), match["id"] or match["first"] or "", is_plain)


def read_folder(name: str) -> tuple[str, str]:
    """Return the ID and the name of the student that a folder, or a zip file, is called after."""
    text = ARCHIVE.sub("", normalize("NFC", name))
    numbers = ID_OF_FOLDER.findall(text)
    if len(numbers) != 1:
        return "", text
    rest = re.sub(r"[ _]+", " ", text.replace(numbers[0], " "))
    return numbers[0], rest.strip(" -,.()[]")
