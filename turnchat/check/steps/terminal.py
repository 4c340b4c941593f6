"""Steps at the terminal: the checker is the person, who types and reads.

The same text may stand on the screen already, so some look only at what was written since.
"""

from typing import TYPE_CHECKING

from turnchat.check.report import Awaited, Kind
from turnchat.check.screen import without_blanks, without_sequences
from turnchat.check.steps.step import Evidence, Step

if TYPE_CHECKING:
    from turnchat.check.play import Play

ENTER = b"\r"  # the key; the terminal makes a newline of it
PROMPTED = 0.02  # seconds of silence behind a prompt, after which a person begins to type
UNPROMPTED = 0.15  # the same where there is no prompt
LONGEST_PROMPT = 1 << 10  # bytes of it that are looked at
PATIENCE = 1.0  # seconds, after which a person types although the screen is not silent


class Press(Step):
    """Press keys."""

    needs_program = False

    def __init__(self, keys: bytes) -> None:
        super().__init__()
        self._keys = keys

    def start(self, play: "Play") -> None:
        play.program.type(self._keys)


class ComesToRest(Step):
    """Wait until the screen is at rest, as a person does before typing, but not for ever.

    A program that could not run is silent, too, so it gets that time back.
    """

    needs_program = False
    awaits = Awaited.SCREEN

    def __init__(self) -> None:
        super().__init__(2 * PATIENCE)
        self._written = -1  # bytes on the screen at the last look

    def start(self, play: "Play") -> None:
        self._latest = play.elapsed + PATIENCE
        self._before = play.load()

        def on_silence() -> None:
            missing = min(play.starved(self._before), self._latest - play.elapsed)
            if missing > PROMPTED:
                self._before = play.load()
                self._silence.start(missing)
                return
            self.is_done = True
            self.finish(play)
            play.wake()

        self._silence = play.loop.timer("screen at rest", on_silence)

    def look(self, play: "Play") -> bool:
        output = play.program.output
        if not self.is_done and len(output) != self._written:
            self._written = len(output)
            silence = PROMPTED if has_prompt(output) else UNPROMPTED
            self._silence.start(max(0.0, min(silence, self._latest - play.elapsed)))
        return self.is_done

    def waiting(self) -> str:
        return "a screen at rest"


class Type(ComesToRest):
    """Type a line, and Enter, when the screen has come to rest.

    The terminal would keep a line that comes earlier, but a program may throw it away: Node's
    readline has no use for a line before its question, and an operator's line is for the client
    that the prompt names.
    """

    def __init__(self, line: str) -> None:
        super().__init__()
        self._keys = line.encode() + ENTER

    def finish(self, play: "Play") -> None:
        play.program.type(self._keys)


def has_prompt(output: bytes) -> bool:
    """Return True if the last line of a terminal's output has no end yet."""
    last = output[output.rfind(b"\n") + 1 :][-LONGEST_PROMPT:].decode(errors="replace")
    return bool(without_blanks(without_sequences(last)))


class Shows(Step):
    """Wait until a text stands on the screen, with any prefix, in any colour, however wrapped."""

    awaits = Awaited.SCREEN

    def __init__(self, text: str, seconds: float | None = None) -> None:
        super().__init__(seconds)
        self.text = text

    def look(self, play: "Play") -> bool:
        return play.program.screen.shows(self.text)

    def waiting(self) -> str:
        return f"the text {self.text!r} on the screen"

    def evidence(self, play: "Play") -> Evidence:
        return self.text.encode(), play.program.screen.text.encode()


def new_text(play: "Play", start: int) -> str:
    """Return the text that the program has written since the byte `start`, without blanks."""
    written = play.program.output[start:].decode(errors="replace")
    return without_blanks(without_sequences(written))


class ShowsAgain(Shows):
    """Wait until a text is written behind the byte `start` of the program's output."""

    def __init__(self, text: str, start: int) -> None:
        super().__init__(text)
        self._start = start

    def look(self, play: "Play") -> bool:
        return without_blanks(self.text) in new_text(play, self._start)


class Tells(Step):
    """Wait until words are written behind the byte `start` of the program's output.

    typed: text that was typed since, whose echo is no news.
    """

    needs_program = False
    late_kind = Kind.WRONG  # it goes on, in silence
    awaits = Awaited.SCREEN

    def __init__(self, start: int, typed: str = "") -> None:
        super().__init__()
        self._start, self._typed = start, without_blanks(typed)

    def look(self, play: "Play") -> bool:
        program = play.program
        news = new_text(play, self._start)
        if any(char.isalpha() for char in news.replace(self._typed, "", 1)):
            return True
        if program.status is not None and program.has_output_ended:
            raise self.fallen(Kind.WRONG, f"the program ended without {self.waiting()}")
        return False

    def waiting(self) -> str:
        return "a word about the end on the screen"
