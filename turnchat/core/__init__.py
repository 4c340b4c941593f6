"""Bytes to turns in one thread. Read frame, conversation, loop, connection, listener, lines."""

from turnchat.core.connection import Connection, Label
from turnchat.core.conversation import THEIRS, Conversation
from turnchat.core.lines import LineReader
from turnchat.core.listener import Listener
from turnchat.core.loop import EventLoop

__all__ = ["THEIRS", "Connection", "Conversation", "EventLoop", "Label", "LineReader", "Listener"]
