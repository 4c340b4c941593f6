"""Bounds for programs that are not trusted: limits, and bubblewrap (bwrap) where it works."""

from turnchat.check.sandbox.layers import NOTHING, NoSandbox, Sandbox, find, takes_terminal
from turnchat.check.sandbox.limits import MIB, Limits

__all__ = ["MIB", "NOTHING", "Limits", "NoSandbox", "Sandbox", "find", "takes_terminal"]
