"""Wrappers around a selector, sockets, TLS and streams, which emit an event for each call.

Each passes a call on to the real object and emits what was asked, and the result or the error. An
event is one dict, with its fields in the order of the line that it becomes.

`send` and `write` bear the time of their beginning, all other calls that of their end, when the
event is emitted. So the recordings of both sides show each byte sent before it is received.
"""
