"""The programs' help fits a terminal, and no option is taken that has no effect."""

import pytest

from tests.support import CLIENT, SERVER
from tests.support.process import ROOT, run
from tests.support.recording import REPLAY

CHECK = str(ROOT / "bin" / "turnchat-check")
CHECKS = [(CHECK, one) for one in ("server", "client", "pair", "lab", "list")]


@pytest.mark.parametrize("command", [(SERVER,), (CLIENT,), (REPLAY,), (CHECK,), *CHECKS])
def test_help_fits_into_80_columns(command: tuple[str, ...]) -> None:
    status, text, _ = run(*command, "--help")
    assert status == 0
    assert [line for line in text.splitlines() if len(line) > 80] == []


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (
            [SERVER, "-q"],
            "-q and -v are for a log, and without --exec, --echo or --log there is none",
        ),
        ([SERVER, "--verbose"], "-q and -v are for a log"),
        ([CLIENT, "-v"], "-q and -v are for a log, and without --exec or --log there is none"),
        ([SERVER, "--echo", "--plain"], "--plain is for a person who types"),
        ([SERVER, "--exec", "cat", "--plain"], "--plain is for a person who types"),
        ([CLIENT, "--exec", "cat", "--plain"], "--plain is for a person who types"),
    ],
)
def test_an_option_without_effect_is_refused(command: list[str], words: str) -> None:
    status, out, err = run(*command)
    assert (status, out) == (2, "")
    assert words in err


@pytest.mark.parametrize(
    ("command", "lines"),
    [
        (
            [SERVER, "localhost", "4000"],
            ["'4000' is too much", "an address is one word: localhost:4000"],
        ),
        ([CLIENT, "one", "two"], ["'two' is too much", "see turnchat-client --help"]),
        ([SERVER, "--tls-k", "f"], ["there is no option --tls-k", "did you mean --tls-key?"]),
        (
            [SERVER, "--max-co", "1"],
            ["there is no option --max-co", "did you mean --max-conversations?"],
        ),
        ([CLIENT, "--rceord=f"], ["there is no option --rceord", "did you mean --record?"]),
        ([CLIENT, "--bogus"], ["there is no option --bogus", "see turnchat-client --help"]),
        (
            [REPLAY, "a.jsonl", "--txt"],
            [
                "one of the arguments "
                "-o/--output --text --perfetto --pcap --lint --check is required"
            ],
        ),
        ([REPLAY, "a.jsonl", "--text", "--x\x1b"], [r"there is no option --x\x1b"]),
    ],
)
def test_a_mistake_is_named_in_two_lines(command: list[str], lines: list[str]) -> None:
    """The usage would hide it."""
    program = command[0].rpartition("/")[2]
    status, out, err = run(*command)
    assert (status, out) == (2, "")
    said = [line.removeprefix(f"{program}: ") for line in err.splitlines()]
    assert len(said) == 2
    assert said[: len(lines)] == lines
