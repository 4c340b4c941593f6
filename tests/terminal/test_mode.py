import os
import select
import termios
from typing import Any

import pytest

from tests.support import PATIENCE
from turnchat.terminal.key_reader import TerminalMode

KEPT_LOCAL = termios.ISIG
KEPT_INPUT = termios.IXON | termios.ICRNL
EDITED_HERE = termios.ICANON | termios.ECHO | termios.IEXTEN


def settings_of(terminal: int) -> list[Any]:
    return termios.tcgetattr(terminal)


def set_local(terminal: int, flags: int) -> None:
    settings = settings_of(terminal)
    settings[3] = flags
    termios.tcsetattr(terminal, termios.TCSANOW, settings)


def types(tty: tuple[int, int], keys: bytes) -> None:
    """Type into a terminal in the editing mode, and wait until it has the keys."""
    os.write(tty[0], keys)
    assert select.select([tty[1]], [], [], PATIENCE)[0]


def has_input(terminal: int) -> bool:
    return bool(select.select([terminal], [], [], 0)[0])


@pytest.fixture
def background(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another job has every terminal."""
    monkeypatch.setattr(os, "tcgetpgrp", lambda terminal: os.getpgrp() + 1)


def test_keys_come_at_once_and_unshown_and_all_else_is_as_it_was(tty: tuple[int, int]) -> None:
    before = settings_of(tty[1])
    assert TerminalMode(tty[1]).take()
    input_flags, output_flags, control_flags, local_flags, *speeds, characters = settings_of(tty[1])
    assert local_flags == before[3] & ~EDITED_HERE | termios.NOFLSH
    assert local_flags & KEPT_LOCAL == KEPT_LOCAL
    assert input_flags & KEPT_INPUT == KEPT_INPUT
    assert [input_flags, output_flags, control_flags, *speeds] == [*before[:3], *before[4:6]]
    assert (characters[termios.VMIN], characters[termios.VTIME]) == (1, 0)


def test_restore_puts_everything_back(tty: tuple[int, int]) -> None:
    before = settings_of(tty[1])
    mode = TerminalMode(tty[1])
    assert not mode.is_taken
    assert mode.take()
    assert mode.is_taken
    assert settings_of(tty[1]) != before
    mode.restore()
    assert not mode.is_taken
    assert settings_of(tty[1]) == before


def test_a_minimum_and_a_time_found_are_put_back(tty: tuple[int, int]) -> None:
    set_local(tty[1], settings_of(tty[1])[3] & ~termios.ICANON)
    before = settings_of(tty[1])
    before[6][termios.VMIN], before[6][termios.VTIME] = 0, 7
    termios.tcsetattr(tty[1], termios.TCSANOW, before)
    mode = TerminalMode(tty[1])
    mode.take()
    assert settings_of(tty[1])[6][termios.VMIN] == 1
    assert settings_of(tty[1])[6][termios.VTIME] == 0
    mode.restore()
    assert settings_of(tty[1]) == before


def test_the_settings_that_count_are_those_before_the_first_take(tty: tuple[int, int]) -> None:
    before = settings_of(tty[1])
    mode = TerminalMode(tty[1])
    mode.take()
    set_local(tty[1], termios.ECHO)  # another program's doing
    assert mode.take()
    assert not settings_of(tty[1])[3] & termios.ECHO
    mode.restore()
    assert settings_of(tty[1]) == before


@pytest.mark.parametrize("flag", [termios.ICANON, termios.ECHO])
def test_settings_that_others_have_put_back_are_left_alone(tty: tuple[int, int], flag: int) -> None:
    """A shell does so when it takes the terminal, and may have its own by then."""
    mode = TerminalMode(tty[1])
    mode.take()
    set_local(tty[1], flag)
    theirs = settings_of(tty[1])
    mode.restore()
    assert not mode.is_taken
    assert settings_of(tty[1]) == theirs


def test_a_stop_from_the_keyboard_discards_no_output(tty: tuple[int, int]) -> None:
    before = settings_of(tty[1])
    assert not before[3] & termios.NOFLSH
    mode = TerminalMode(tty[1])
    mode.take()
    assert settings_of(tty[1])[3] & termios.NOFLSH
    mode.restore()
    assert settings_of(tty[1]) == before


def test_settings_are_found_anew_after_restore(tty: tuple[int, int]) -> None:
    mode = TerminalMode(tty[1])
    mode.take()
    mode.restore()
    set_local(tty[1], settings_of(tty[1])[3] & ~termios.ECHOCTL)
    changed = settings_of(tty[1])
    mode.take()
    mode.restore()
    assert settings_of(tty[1]) == changed


def test_restore_without_take_changes_nothing(tty: tuple[int, int]) -> None:
    mode = TerminalMode(tty[1])
    mode.take()
    types(tty, b"x")
    TerminalMode(tty[1]).restore()
    assert has_input(tty[1])
    assert not settings_of(tty[1])[3] & EDITED_HERE


def test_what_was_typed_ahead_stays_and_what_was_not_read_is_not_for_the_shell(
    tty: tuple[int, int],
) -> None:
    os.write(tty[0], b"ahead")
    echo = b""
    while echo != b"ahead":  # then the terminal has it
        echo += os.read(tty[0], 100)
    mode = TerminalMode(tty[1])
    mode.take()
    assert os.read(tty[1], 100) == b"ahead"
    types(tty, b"rm -r *\n")
    mode.restore()
    assert not has_input(tty[1])


def test_nothing_waits_for_output_or_discards_it(
    tty: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A terminal may be stopped by Ctrl-S; a pty has no output to wait for that would show it."""
    times: list[int] = []
    set_now = termios.tcsetattr

    def noted(terminal: int, when: int, settings: list[Any]) -> None:
        times.append(when)
        set_now(terminal, when, settings)

    monkeypatch.setattr(termios, "tcsetattr", noted)
    mode = TerminalMode(tty[1])
    mode.take()
    mode.restore()
    assert times == [termios.TCSANOW] * 2


@pytest.mark.usefixtures("background")
def test_a_background_process_takes_nothing(tty: tuple[int, int]) -> None:
    before = settings_of(tty[1])
    mode = TerminalMode(tty[1])
    assert not mode.take()
    assert not mode.is_taken
    assert settings_of(tty[1]) == before


def test_a_background_process_puts_nothing_back_until_it_has_the_terminal_again(
    tty: tuple[int, int],
) -> None:
    before = settings_of(tty[1])
    mode = TerminalMode(tty[1])
    mode.take()
    types(tty, b"for another")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "tcgetpgrp", lambda terminal: os.getpgrp() + 1)
        mode.restore()
        assert has_input(tty[1])
        assert settings_of(tty[1]) != before
        assert mode.is_taken
    mode.restore()
    assert settings_of(tty[1]) == before


def test_a_terminal_that_has_hung_up_is_let_be(tty: tuple[int, int]) -> None:
    mode = TerminalMode(tty[1])
    mode.take()
    os.close(tty[0])
    mode.restore()
    assert not mode.is_taken
    assert not mode.take()
    assert not mode.is_taken


def test_no_terminal_is_never_taken(pipe: tuple[int, int]) -> None:
    mode = TerminalMode(pipe[0])
    assert not mode.take()
    mode.restore()
