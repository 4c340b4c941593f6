"""The end of a conversation: by BYEBYE, and by a peer that goes away without it."""

from turnchat.check.cases.end import byebye, ordinary, vanished

__all__ = ["byebye", "ordinary", "vanished"]
