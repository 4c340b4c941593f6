"""The names that course systems give to hand-ins: Moodle, Blackboard, Canvas, Gradescope.

Each puts the student before the name of a file, or makes a folder for the student. The forms are
those of their downloads of all submissions.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple
from unicodedata import normalize

# Moodle: "Tai Man Chan_12345_assignsubmission_file_", a folder, or in front of each file. A team
# that has no number is that of all who are in no group.
MOODLE = re.compile(
    r"(?P<name>.+?)(?:_(?P<number>\d+))?_assignsubmission_(?:file|onlinetext)_?(?P<rest>.*)",
    re.DOTALL,
)
# Blackboard: "Lab 1_username_attempt_2024-01-02-03-04-05_client_12345678d.py", and a .txt with it.
BLACKBOARD = re.compile(
    r".+_(?P<number>[^_]+)_attempt_(?P<attempt>\d{4}(?:-\d\d){5})_?(?P<rest>.*)", re.DOTALL
)
# Canvas: "chantaiman_12345_67890_client_12345678d-1.py"; -1 is the first file that came again. A
# text that was typed in is "chantaiman_12345_text.html". Nameless: "anon_xY3z9_67890_client.py".
CANVAS = re.compile(
    r"(?:(?P<name>[^_]+)_)??(?:(?P<late>LATE)_)?(?P<number>\d+|anon_[A-Za-z0-9]{5})"
    r"_(?:\d+_(?P<rest>.+)|(?:text|link)\.html)",
    re.DOTALL,
)
GRADESCOPE = re.compile(r"submission_(?P<number>\d+)(?P<rest>)")
SYSTEMS = {
    "moodle": MOODLE,
    "blackboard": BLACKBOARD,
    "canvas": CANVAS,
    "gradescope": GRADESCOPE,
}
FLAT = ("canvas", "blackboard")  # their names are those of files; others make folders
METADATA = "submission_metadata.yml"  # of Gradescope
FIELD = re.compile(r"^\s*-?\s*:(?P<key>name|sid):\s*(?P<value>.*)$")
BLACKBOARD_NAME = re.compile(r"^Name:\s*(?P<name>.+?)\s*\((?P<number>[^()]+)\)\s*$", re.MULTILINE)


class Owner(NamedTuple):
    """A student, as a course system names one. key: tells students apart. attempt: sortable."""

    key: str
    name: str = ""
    attempt: str = ""
    is_late: bool = False


def owner_of(parts: Sequence[str]) -> tuple[Owner | None, Sequence[str]]:
    """Return the student that a path names, and the rest of the path behind that."""
    for index, part in enumerate(parts):
        for system, pattern in SYSTEMS.items():
            match = pattern.fullmatch(normalize("NFC", part))  # one name, on macOS too
            is_file = index == len(parts) - 1 or part.endswith(".zip")
            if not match or ((system in FLAT) != is_file and system != "moodle"):
                continue
            found = match.groupdict()
            owner = Owner(
                f"{system}:{found['number'] or found['name']}",
                found.get("name") or "",
                found.get("attempt") or "",
                bool(found.get("late")),
            )
            rest = [found["rest"]] if found["rest"] else []
            return owner, [*rest, *parts[index + 1 :]]
    return None, parts


def gradescope_students(text: str) -> dict[str, tuple[str, str]]:
    """Return names and IDs by the owner's key, from Gradescope's metadata.

    The file is YAML of one fixed form; those of a group are joined by " and ".
    """
    students: dict[str, tuple[str, str]] = {}
    key = ""
    for line in text.splitlines():
        if match := re.match(r"submission_(\d+):\s*$", line):
            key = f"gradescope:{match[1]}"
            students[key] = "", ""
        elif key and (field := FIELD.match(line)):
            value = field["value"].strip().strip("'\"")
            name, number = students[key]
            if field["key"] == "name":
                name = " and ".join(filter(None, (name, value)))
            else:
                number = " and ".join(filter(None, (number, value)))
            students[key] = name, number
    return students


def blackboard_student(text: str) -> tuple[str, str] | None:
    """Return the owner's key and name from the text file that Blackboard adds."""
    match = BLACKBOARD_NAME.search(text)
    return (f"blackboard:{match['number']}", match["name"]) if match else None
