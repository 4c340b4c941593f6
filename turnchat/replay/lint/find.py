"""Look for all mistakes in a recording at once."""

from collections.abc import Iterable, Iterator

from turnchat.replay.lint.calls import Blocking, ForgottenInTLS, LostRest, closed_while_registered
from turnchat.replay.lint.finding import Finding
from turnchat.replay.lint.frames import Breaches
from turnchat.replay.lint.rounds import ReadBehindTheEnd, ReadyAndUnused, SlowCallback
from turnchat.trace.format import Event
from turnchat.trace.interpreter import Interpreter


def find_all(events: Iterable[tuple[int, Event]]) -> Iterator[Finding]:
    """Yield the mistakes in a recording, of the loop and of its peers, as they become certain."""
    interpreter = Interpreter()
    breaches = Breaches()
    lints = (
        *(ReadyAndUnused(), ReadBehindTheEnd(), SlowCallback(), Blocking(), ForgottenInTLS()),
        *(closed_while_registered, LostRest(), breaches.before),
    )
    for line, event in events:
        for lint in lints:
            yield from lint(line, event, interpreter)
        effects = interpreter.feed(event)
        if "file" in event:
            yield from breaches.after(line, event, interpreter, effects)


def find_mistakes(events: Iterable[tuple[int, Event]]) -> Iterator[Finding]:
    """Yield the mistakes of the recorded loop alone."""
    return (one for one in find_all(events) if one.is_ours)
