"""Responders: a person, a script, a program or an echo answers."""

from typing import TYPE_CHECKING

import turnchat

if TYPE_CHECKING:
    from turnchat.responders.console import Console
    from turnchat.responders.echo import Echo
    from turnchat.responders.operator import Operator
    from turnchat.responders.program import Programs
    from turnchat.responders.script import Script

__all__ = ["Console", "Echo", "Operator", "Programs", "Script"]
__getattr__ = turnchat.lazy(
    __name__,
    {
        "Console": "console",
        "Echo": "echo",
        "Operator": "operator",
        "Programs": "program",
        "Script": "script",
    },
)
