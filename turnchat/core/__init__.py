"""Bytes to turns in one thread: the event loop, and one conversation on one socket."""
