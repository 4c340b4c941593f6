"""Random keys, news and sizes: the screen is always that of a plain model."""

import os
import pty
import re
from collections.abc import Callable, Iterator
from functools import partial
from itertools import accumulate

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wcwidth import iter_graphemes, wcswidth

from tests.support.editing import Editing
from turnchat.core.frame import BODY_LIMIT, BodyTooLong
from turnchat.responders.prompt import Ask
from turnchat.terminal.editor import Editor, Request
from turnchat.terminal.history import History
from turnchat.terminal.keys import Key, KeyParser
from turnchat.terminal.width import wrap

NBSP = "\xa0"  # the emulator takes spaces at the end of a row for a row that is not filled
PICTURES = ["👩", "👨\u200d👩\u200d👧", "👍🏽", "❤\ufe0f", "🦊", "🇩🇪", "🇯🇵"]
LETTERS = [*"aZ1~é日本語ｱ한", "\u1112\u1161\u11ab", "e\u0301", "n\u0303\u0323"]
BLANKS = [NBSP, "\u3000"]
PIECES = ["\u0301", "🇺"]  # that join what is before them
MOTIONS = ["\x1b[D", "\x1b[C", "\x01", "\x05", "\x1bb", "\x1bf"]
EDITS = ["\x7f", "\x1b[3~", "\x14", "\x19", "\x0b", "\x15", "\x17", "\x1bd", "\x1b\x7f"]
RECALLS = ["\x1b[A", "\x1b[B", "\x12", "\x07"]

words = st.lists(st.sampled_from(LETTERS + PICTURES + BLANKS), min_size=1, max_size=12)
texts = words.map("".join)
# Key by key, a style could fall on another mark, and a lead on a syllable: texts that mean nothing.
slow_texts = texts.filter(lambda text: not {"\ufe0f", "\u1112"} & {*text})
controls = st.sampled_from(["\t", "\x01", "\x1b[31m", "\x7f", "\u202e", "\x85"])
pastes = st.lists(controls | texts, max_size=4).map("".join)
asks = st.builds(
    Ask,
    prompt=st.sampled_from(["you> ", "wait> ", "you to client 1000> "]),
    is_ready=st.booleans(),
    message=st.none() | st.tuples(st.just("client 1"), texts.map(str.encode)),
    note=st.sampled_from(["", "1 line queued", "3 more wait: client 2, client 3, client 世界"]),
)


class Model:
    """The same keys in an editor of its own, and the screen as it must be.

    above: all that stands above the block, from the beginning, without blanks.
    """

    def __init__(self, editing: Editing) -> None:
        self.editing = editing
        self.parser = KeyParser()
        self.editor = Editor(History())
        self.ask = Ask()
        self.above = ""
        self.block: list[str] = []  # its rows, as they were drawn last

    # Steps

    def types(self, keys: str, at_once: bool = True) -> None:
        """Type all of it in one read, or in one for each character.

        A joiner comes with its picture. Alone it would join the one behind the cursor, which
        terminals draw differently.
        """
        for read in [keys] if at_once else re.findall("\u200d?.", keys):
            self.reads(read)

    def reads(self, keys: str) -> None:
        self.editing.types(keys)
        for key in self.parser.feed(keys.encode()):
            self.presses(Key("text", key.text) if key.name == "paste" else key)

    def presses(self, key: Key) -> None:
        request = self.editor.press(key)
        size = len(self.editor.text.encode())
        if request is Request.FULL:
            self.appends("* not sent: the line is full")
        elif request is Request.ENTER and size > BODY_LIMIT:
            self.appends(f"* not sent: {BodyTooLong(size)}")
        elif request is Request.ENTER and self.editor.text:
            self.appends("you> " + self.editor.accept())

    def appends(self, text: str) -> None:
        self.above += without_blanks(text)

    def hears(self, text: str) -> None:
        self.editing.screen.message("client 2", text.encode())
        self.appends(f"client 2> {text}")

    def asks_for(self, ask: Ask) -> None:
        self.editing.asks(ask)
        self.ask = ask

    def resizes(self, columns: int, rows: int) -> None:
        """Rows of the block for which a smaller screen has no room stay above for ever."""
        self.is_right()
        cut = [piece for row in self.block for piece in folded(row, columns)]
        self.appends("".join(cut[: max(0, len(cut) - rows)]))
        self.editing.resize(columns, rows)

    def clears(self) -> None:
        """Keep what has left the top of the screen."""
        self.is_right()
        self.types("\x0c")
        gone = without_blanks("".join(self.editing.emulator.history))
        assert self.above.startswith(gone)
        self.above = gone

    def is_slow(self, most: int) -> None:
        self.editing.output.most = most

    def is_fast(self) -> None:
        self.editing.output.most = None

    # The screen

    def is_right(self) -> None:
        editing, emulator = self.editing, self.editing.emulator
        assert editing.prompt.has_text == bool(self.editor.text)
        editing.until_drained()
        rows, cursor_row, column = self.lay_out()
        top = emulator.cursor.y - cursor_row
        display = [row.rstrip(" ") for row in emulator.display]
        above, block = display[: max(top, 0)], display[top : top + len(rows)]
        assert block == [row.rstrip(" ") for row in rows]
        assert emulator.cursor.x == column
        assert not any(display[top + len(rows) :])
        assert without_blanks("".join([*emulator.history, *above])) == self.above
        self.block = rows

    def lay_out(self) -> tuple[list[str], int, int]:
        """Return the rows of the block, and the row and the column of the cursor."""
        columns, height = self.editing.size
        room = columns - 1
        rows = [*self.notes(room), *self.message(room)]
        is_searching = self.editor.pattern is not None
        prompt = self.search_prompt() if is_searching else self.ask.prompt
        line = prompt + self.editor.text
        ends = accumulate(map(len, iter_graphemes(line)), initial=0)
        cursor = next(end for end in ends if end >= len(prompt) + self.editor.cursor)
        cursor_row = column = place = 0
        for row in folded(line, room):
            if place <= cursor:
                cursor_row, column = len(rows), columns_of(row[: cursor - place])
            rows.append(row)
            place += len(row)
        while len(rows) > height and cursor_row > 0:
            rows.pop(0)
            cursor_row -= 1
        return rows[:height], cursor_row, column

    def search_prompt(self) -> str:
        pattern = self.editor.pattern or ""
        return f'{"search" if pattern in self.editor.text else "no match for"} "{pattern}"> '

    def notes(self, room: int) -> list[str]:
        size = len(self.editor.text.encode())
        left = BODY_LIMIT - size
        kind = "left" if left >= 0 else "too many"
        unit = "byte" if abs(left) == 1 else "bytes"
        parts = [f"{abs(left)} {unit} {kind}"] if size >= 200 else []
        parts += [self.ask.note] if self.ask.note else []
        note = f"[{'; '.join(parts)}]"
        if not parts:
            return []
        return [note if columns_of(note) <= room else folded(note, room - 3)[0] + "..."]

    def message(self, room: int) -> list[str]:
        if not self.ask.message:
            return []
        return wrap("client 1> ", self.ask.message[1].decode(), room)  # test_width.py


def without_blanks(text: str) -> str:
    return "".join(text.split())


def columns_of(text: str) -> int:
    return sum(map(wcswidth, iter_graphemes(text)))


def folded(text: str, room: int) -> list[str]:
    rows = [""]
    for cluster in iter_graphemes(text):
        if columns_of(rows[-1] + cluster) > room:
            rows.append("")
        rows[-1] += cluster
    return rows


Step = Callable[[Model], None]

steps: st.SearchStrategy[Step] = st.one_of(
    st.builds(lambda text: partial(Model.types, keys=text), texts),
    st.builds(lambda text: partial(Model.types, keys=text, at_once=False), slow_texts),
    st.builds(lambda key: partial(Model.types, keys=key), st.sampled_from(PIECES)),
    st.builds(lambda key: partial(Model.types, keys=key), st.sampled_from(MOTIONS)),
    st.builds(lambda key: partial(Model.types, keys=key), st.sampled_from(EDITS)),
    st.builds(lambda key: partial(Model.types, keys=key), st.sampled_from(RECALLS)),
    st.builds(lambda text: partial(Model.types, keys=f"\x1b[200~{text}\x1b[201~"), pastes),
    st.just(partial(Model.types, keys="\r")),
    st.builds(lambda text: partial(Model.hears, text=text), texts),
    st.builds(lambda ask: partial(Model.asks_for, ask=ask), asks),
    st.builds(
        lambda columns, rows: partial(Model.resizes, columns=columns, rows=rows),
        st.integers(10, 100),
        st.integers(3, 30),
    ),
    st.builds(lambda most: partial(Model.is_slow, most=most), st.integers(1, 20)),
    st.just(Model.is_fast),
    st.just(Model.clears),
)


@pytest.fixture(scope="module")
def module_tty() -> Iterator[tuple[int, int]]:
    master, terminal = pty.openpty()
    yield master, terminal
    os.close(master)
    os.close(terminal)


@settings(max_examples=100, deadline=None)
@given(st.lists(steps, min_size=10, max_size=50), st.booleans())
def test_the_screen_is_that_of_the_model(
    module_tty: tuple[int, int], taken: list[Step], looks_after_each: bool
) -> None:
    editing = Editing(module_tty, 40, 10)
    model = Model(editing)
    try:
        for step in taken:
            step(model)
            if looks_after_each:
                model.is_right()
        model.is_right()
    finally:
        editing.close()
