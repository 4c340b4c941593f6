"""The comment at the top of a program, and the name and the ID in it."""

import re
from typing import NamedTuple

from turnchat.text import safe

MOST_LINES = 60  # of a program, in which its top can be
LINE_COMMENT = {".py": "#", ".sh": "#", ".js": "//", ".java": "//", ".c": "//"}
STRING = re.compile(r"[rRuU]?(\"\"\"|'''|\"|')")  # a docstring is a comment here
# Words of such a comment that are no name.
LABELS = {
    *("name", "names", "student", "students", "id", "ids", "no", "number", "sid", "author"),
    *("by", "class", "course", "lab", "labs", "client", "server", "comp", "date", "group"),
    *("python", "utf", "coding", "the", "and", "chat", "assignment", "file", "program"),
}
# Words that stand in a starter file in the place of a name or an ID; `xxx` is one, too.
PLACEHOLDERS = {
    *("todo", "tbd", "tba", "fixme", "none", "unknown", "placeholder", "your", "my", "here"),
    *("full", "first", "last", "given", "family", "surname", "yourname", "firstname", "lastname"),
    *("fullname", "insert", "enter", "fill", "put", "write", "type", "in", "into", "it", "of"),
    *("this", "too"),
}
BLANK = re.compile(r"(?i)(?:x{2,}|_+)")  # to be filled in
LABELLED = re.compile(r"(?i)\b(?:name|author|student|by)\b\s*(?:\(s\))?\s*[:=\-]\s*(?P<name>.+)")
NUMBER = re.compile(r"(?<![^\W_])[^\W_]*\d{5,}[^\W_]*(?![^\W_])")
WORD = re.compile(r"[^\W\d_]{2,}")
WORD_OF_NAME = re.compile(r"[^\W\d_]+(?:['\u2019-][^\W\d_]+)*\.?")  # O'Neill, Jean-Luc, T.


class Header(NamedTuple):
    """The top of one program. name, id: as they stand there, None if they do not.

    other_id: an ID that stands there, and is not that of the hand-in.
    """

    text: str
    name: str | None
    id: str | None
    other_id: str | None = None


def read_header(source: str, suffix: str, number: str = "", name: str = "") -> Header:
    """Look for name and ID in the comment at the top.

    `number`, `name`: those that are known from the hand-in. Without them, anything that looks like
    a long number or like a name counts, and the marker sees it. A placeholder of a starter file is
    neither.
    """
    text = top_comment(source, suffix)
    found = _id_in(text, number)
    return Header(text, _name_in(text, name), found, None if found else _other_id(text, number))


def top_comment(source: str, suffix: str) -> str:
    """Return the text of all comments before the first statement."""
    mark = LINE_COMMENT.get(suffix.lower(), "#")
    found: list[str] = []
    end = ""  # of the comment of several lines that is open
    for line in source.lstrip("\ufeff").splitlines()[:MOST_LINES]:
        stripped = line.strip()
        if end:
            text, closing, rest = stripped.partition(end)
            found.append(text.strip(" *"))
            end = "" if closing else end
            if closing and rest.strip():
                break
        elif stripped.startswith(("#!", mark)):
            found.append("" if stripped.startswith("#!") else stripped.lstrip(mark + " "))
        elif mark == "//" and stripped.startswith("/*"):
            text, closing, _ = stripped[2:].partition("*/")
            found.append(text.strip(" *"))
            end = "" if closing else "*/"
        elif mark == "#" and (opening := STRING.match(stripped)):
            text, closing, _ = stripped[opening.end() :].partition(opening[1])
            found.append(text)
            end = "" if closing or len(opening[1]) == 1 else opening[1]
        elif stripped:
            break
    return "\n".join(line for line in found if line)


def _id_in(text: str, number: str) -> str | None:
    wanted = re.sub(r"[\W_]", "", number).casefold()
    if wanted and any(char.isdigit() for char in wanted):
        parts = [one.casefold() for one in re.findall(r"[^\W_]+", number)]
        is_there = any(one in text.casefold() for one in parts if any(map(str.isdigit, one)))
        return number if is_there else None
    found = (match[0] for match in NUMBER.finditer(text))
    return next((safe(one) for one in found if one.strip("0xX")), None)


def _other_id(text: str, number: str) -> str | None:
    """Return an ID, as long as the one that is known if there is such a one: dates are numbers."""
    found = NUMBER.findall(text)
    lengths = {len(one) for one in re.findall(r"[^\W_]+", number)}
    alike = [one for one in found if len(one) in lengths]
    return safe((alike or found)[0]) if found else None


def _name_in(text: str, name: str) -> str | None:
    known = {word.casefold() for word in WORD.findall(name)} - LABELS
    if known:
        words = {word.casefold() for word in WORD.findall(text)}
        joined = "".join(re.findall(r"[^\W\d_]", text)).casefold()  # Canvas: "chantaiman"
        if known & words or any(len(one) > 3 and one in joined for one in known):
            return safe(name)
    for match in LABELLED.finditer(text):
        found = WORD_OF_NAME.findall(NUMBER.sub(" ", match["name"]))
        words_of_it = [word for word in found if word.lower() not in LABELS]
        if any(len(word) > 1 and not _is_placeholder(word) for word in words_of_it):
            return safe(" ".join(words_of_it[:6]))
    if known:
        return None
    for line in text.splitlines():
        words_of_line = WORD.findall(NUMBER.sub(" ", line))
        others = [word for word in words_of_line if word.lower() not in LABELS]
        is_titled = len(words_of_line) > 1 and all(word[0].isupper() for word in words_of_line)
        is_foreign = all(word[0] > "\x7f" for word in words_of_line)
        if all(map(_is_placeholder, others)):
            continue
        if len(others) <= 5 and (is_titled or is_foreign or NUMBER.search(line)):
            return safe(" ".join(others))
    return None


def _is_placeholder(word: str) -> bool:
    return word.lower() in PLACEHOLDERS or bool(BLANK.fullmatch(word))
