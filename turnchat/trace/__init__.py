"""See the loop: a recorder, a live trace, and what is made of a recording.

To record a loop of your own, put the recorder around its selector and its sockets:

    from turnchat.trace import record

    with record("mine.jsonl") as recorder:
        selector = recorder.selector(selectors.DefaultSelector())
        listening = recorder.listener(socket.create_server(("127.0.0.1", 2322)))
        ...

and use them as before. What accept() gives is recorded as well. A file is called what it is
registered with as data, if that is a string or has a name. Then look for mistakes:

    turnchat-replay mine.jsonl --lint
"""

from collections.abc import Iterator
from contextlib import contextmanager

from turnchat.trace.recorder import Recorder
from turnchat.trace.writer import Writer, create


@contextmanager
def record(path: str, program: str = "", *, lengths_only: bool = False) -> Iterator[Recorder]:
    """A recorder that writes to `path`, to its end. Raises OSError, also when it was full.

    lengths_only: leave out what is said, and record how long it was.
    """
    with create(path) as file:
        writer = Writer(file, program, bodies=not lengths_only)
        with Recorder(writer, lengths_only=lengths_only) as recorder:
            yield recorder
    if writer.error:
        raise writer.error
