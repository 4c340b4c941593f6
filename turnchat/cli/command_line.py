"""A command line whose errors are short: what is wrong in a line, and what to try in another."""

import argparse
from typing import Any, NoReturn

from turnchat.cli.startup import EX_WRONG
from turnchat.text import safe


class CommandLine(argparse.ArgumentParser):
    """A parser that takes options by their whole names, and does not print its usage at errors.

    The usage is long, and would hide the error.
    """

    def __init__(self, **how: Any) -> None:
        super().__init__(
            **{"formatter_class": argparse.RawDescriptionHelpFormatter, **how}, allow_abbrev=False
        )

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Refuse what is not known here, by this command's own name."""
        found, unknown = super().parse_known_args(args, namespace)
        if unknown:
            self.error(*self.advise(unknown[0].partition("=")[0], found))
        return found, unknown

    def error(self, message: str, advice: str = "") -> NoReturn:
        """Say what is wrong and what to try, and exit."""
        advice = advice or f"see {self.prog} --help"
        self.exit(EX_WRONG, f"{self.prog}: {safe(message)}\n{self.prog}: {safe(advice)}\n")

    def advise(
        self,
        unknown: str,
        found: argparse.Namespace,  # noqa: ARG002 - for subclasses
    ) -> tuple[str, str]:
        """Return the problem with a word that is not known, and what to try; empty for the help.

        found: the other arguments.
        """
        if not unknown.startswith("-"):
            return f"{unknown!r} is too much", ""
        from difflib import get_close_matches  # noqa: PLC0415 - at errors alone, it is slow to load

        known = list(self._option_string_actions)
        alike = [one for one in known if one.startswith(unknown)] or get_close_matches(
            unknown, known, 1, 0.7
        )
        advice = f"did you mean {' or '.join(alike)}?" if alike else ""
        return f"there is no option {unknown}", advice
