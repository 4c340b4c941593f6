"""Record an event loop and explain it.

To record a loop of your own, wrap its selector and its sockets:

    from turnchat.trace import record

    with record("mine.jsonl") as recorder:
        selector = recorder.selector(selectors.DefaultSelector())
        listening = recorder.listener(socket.create_server(("127.0.0.1", 2322)))

and use them as before. Sockets that accept() returns are recorded as well. A file gets its name
from the data that it is registered with: a string, or an object with a name. Then look for
mistakes: turnchat-replay mine.jsonl --lint
"""

from typing import TYPE_CHECKING

import turnchat

if TYPE_CHECKING:
    from turnchat.trace.backend import RecordingBackend
    from turnchat.trace.recorder import IncompleteRecording, record

__all__ = ["IncompleteRecording", "RecordingBackend", "record"]
__getattr__ = turnchat.lazy(
    __name__,
    {
        "IncompleteRecording": "recorder",
        "RecordingBackend": "backend",
        "record": "recorder",
    },
)
