"""The block of a prompt: what stands at the bottom of the screen while a person types.

From top to bottom: a note, the message that is being answered, the prompt with the line. What
stands behind the prompt is what is sent, byte for byte; bytes past the limit of a message are shown
in reverse. While several pasted lines wait for a yes, they stand there with the question.
"""

from collections.abc import Callable, Sequence

from turnchat.core.frame import BODY_LIMIT
from turnchat.responders.prompt import Ask
from turnchat.terminal.display import Block, Size, Span, block
from turnchat.terminal.editor import Editor
from turnchat.terminal.output import MESSAGE, SAID, STATUS, Style
from turnchat.terminal.width import clusters, fold, width, wrap
from turnchat.text import counted, safe

NEAR_LIMIT = 200  # bytes of a line, from which on those left are shown
PREVIEWED = 8  # lines of a paste that the question shows
REVERSE = "\x1b[7m"  # ECMA-48, 8.3.117 (select graphic rendition)

Look = Callable[[Style], str]  # the control sequence of a style, empty if there are no colours


def line(ask: Ask, editor: Editor, size: Size, look: Look) -> Block:
    """Lay out a line that is being typed."""
    above = []
    if note := "; ".join(filter(None, _notes(ask, editor))):
        above.append(Span(_cut(f"[{note}]", size.room), look(STATUS)))
    if ask.message:
        sender, body = ask.message
        rows = wrap(f"{sender}> ", safe(body), size.room)
        above += [Span(row, look(MESSAGE)) for row in rows]
    prompt = _prompt(ask, editor)
    fits = _fitting(editor.text)
    spans = [
        Span(prompt, look(SAID if ask.is_ready else STATUS)),
        Span(editor.text[:fits]),
        Span(editor.text[fits:], REVERSE),
    ]
    cursor = max(editor.cursor, _marks(editor.text))
    return block(above, spans, len(prompt) + cursor, size)


def question(ask: Ask, lines: Sequence[str], size: Size, look: Look) -> Block:
    """Lay out the question whether to send the lines of a paste, which stand above it."""
    above = [
        Span(row, look(STATUS))
        for one in lines[:PREVIEWED]
        for row in wrap(ask.prompt, one, size.room)
    ]
    if len(lines) > PREVIEWED:
        above.append(Span(f"  and {len(lines) - PREVIEWED} more", look(STATUS)))
    text = f"send {counted(len(lines), 'line')}, one a turn? y/n "
    return block(above, [Span(text, look(SAID))], len(text), size)


def _prompt(ask: Ask, editor: Editor) -> str:
    if editor.pattern is None:
        return ask.prompt
    return f'{"search" if editor.pattern in editor.text else "no match for"} "{editor.pattern}"> '


def _notes(ask: Ask, editor: Editor) -> list[str]:
    return [_bytes_left(editor.text), ", ".join(editor.candidates) or ask.note]


def _cut(text: str, room: int) -> str:
    """Return as much of a text as a row can show."""
    return text if width(text) <= room else fold(text, room - 3)[0] + "..."


def _marks(text: str) -> int:
    """Count the marks that begin a line: they are drawn over the end of the prompt."""
    return len(clusters(" " + text)[0]) - 1


def _fitting(text: str) -> int:
    """Return the number of characters at the beginning of a line that a message can carry."""
    data = text.encode()
    return len(text) if len(data) <= BODY_LIMIT else len(data[:BODY_LIMIT].decode(errors="ignore"))


def _bytes_left(text: str) -> str:
    """Return the number of bytes that a line may still get, if it has many already."""
    size = len(text.encode())
    if size < NEAR_LIMIT:
        return ""
    if size <= BODY_LIMIT:
        return f"{counted(BODY_LIMIT - size, 'byte')} left"
    return f"{counted(size - BODY_LIMIT, 'byte')} too many"
