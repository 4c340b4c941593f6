"""A person's keyboard and screen."""

from typing import TYPE_CHECKING

import turnchat

if TYPE_CHECKING:
    from turnchat.terminal.keyboard import Keyboard
    from turnchat.terminal.screen import open_screen

__all__ = ["Keyboard", "open_screen"]
__getattr__ = turnchat.lazy(__name__, {"Keyboard": "keyboard", "open_screen": "screen"})
