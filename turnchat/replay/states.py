"""The state of each file for the page: the parts that have changed since its last step."""

from typing import Any

from turnchat.replay.inflight import Streams
from turnchat.trace.interpreter import File

Json = dict[str, Any]

DATA_LIMIT = 300  # bytes that the page shows of a call, and of each buffer: more than a frame

_ABSENT = object()


class States:
    """The last state of each file."""

    def __init__(self, streams: Streams) -> None:
        self._streams = streams
        self._last: dict[File, Json] = {}

    def changes_of(self, file: File) -> Json:
        """Return the parts of a file's state that are not as in its last state."""
        state = self._state_of(file)
        last = self._last.get(file, {})
        self._last[file] = state
        return {key: value for key, value in state.items() if last.get(key, _ABSENT) != value}

    def _state_of(self, file: File) -> Json:
        state: Json = {"mask": file.mask}
        if file.is_closed:
            state["closed"] = True
        if file.kind == "connection":
            state["parser"] = file.progress
        if file.is_conversation:
            state |= {"buffer": file.partial.decode("latin-1"), "turn": file.turn.value}
            state |= {"unsent": file.unsent[:DATA_LIMIT], "unsentSize": len(file.unsent)}
            state["turns"] = file.message_count
            if file.tls:
                state["tls"] = file.tls.progress
            if self._streams.peer_of(file):
                data, size = self._streams.in_flight(file, DATA_LIMIT)
                state |= {"inflight": data, "inflightSize": size}
        return state
