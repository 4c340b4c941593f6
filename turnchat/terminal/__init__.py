"""A person's keyboard and screen."""

from typing import TYPE_CHECKING

import turnchat

if TYPE_CHECKING:
    from turnchat.terminal.keyboard import open_keyboard
    from turnchat.terminal.screen import open_screen

__all__ = ["open_keyboard", "open_screen"]
__getattr__ = turnchat.lazy(__name__, {"open_keyboard": "keyboard", "open_screen": "screen"})
