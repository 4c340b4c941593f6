"""Bytes to turns in one thread: an event loop, and one conversation on one socket.

Read it in this order: frame, conversation, loop, connection, listener, lines, __main__.
"""

from turnchat.core.connection import CloseReason, Connection, Label, Timeouts
from turnchat.core.conversation import BYEBYE, OURS, THEIRS, Conversation
from turnchat.core.lines import LineReader
from turnchat.core.listener import Listener
from turnchat.core.loop import EventLoop

__all__ = [
    "BYEBYE", "OURS", "THEIRS", "CloseReason", "Connection", "Conversation", "EventLoop", "Label",
    "LineReader", "Listener", "Timeouts",
]  # fmt: skip
