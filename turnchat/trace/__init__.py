"""Record an event loop and explain it.

To record a loop of your own, wrap its selector and its sockets:

    from turnchat.trace import record

    with record("mine.jsonl") as recorder:
        selector = recorder.selector(selectors.DefaultSelector())
        listening = recorder.listener(socket.create_server(("127.0.0.1", 2322)))
        ...

and use them as before. Sockets that accept() returns are recorded as well. A file gets its name
from the data that it is registered with: a string, or an object with a name. Then look for
mistakes:

    turnchat-replay mine.jsonl --lint
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from turnchat.trace.backend import RecordingBackend
    from turnchat.trace.recorder import IncompleteRecording, record

__all__ = ["IncompleteRecording", "RecordingBackend", "record"]

_MODULES = {
    "IncompleteRecording": "recorder",
    "RecordingBackend": "backend",
    "record": "recorder",
}


def __getattr__(name: str) -> object:
    """Import the module of a name when it is first used: PEP 562."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
