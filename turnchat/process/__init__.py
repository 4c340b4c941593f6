"""Signals, standard streams and child processes in the event loop."""

from typing import TYPE_CHECKING

import turnchat

if TYPE_CHECKING:
    from turnchat.process.backend import Backend
    from turnchat.process.child import ChildProcess
    from turnchat.process.signals import Signals

__all__ = ["Backend", "ChildProcess", "Signals"]
__getattr__ = turnchat.lazy(
    __name__, {"Backend": "backend", "ChildProcess": "child", "Signals": "signals"}
)
