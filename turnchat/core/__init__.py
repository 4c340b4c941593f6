"""Bytes to turns: read frame, conversation, selector, loop, connection, listener, lines."""

from turnchat.core.connection import CloseReason, Connection, Label, Timeouts
from turnchat.core.conversation import OURS, THEIRS, Conversation
from turnchat.core.lines import LineReader
from turnchat.core.listener import Listener, make_ready
from turnchat.core.loop import EventLoop

__all__ = [
    "OURS", "THEIRS", "CloseReason", "Connection", "Conversation", "EventLoop", "Label",
    "LineReader", "Listener", "Timeouts", "make_ready",
]  # fmt: skip
