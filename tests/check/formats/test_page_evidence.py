"""The page and the text take the same shortfalls for those of a screen."""

import pytest

from tests.check.formats.samples import result
from turnchat.check.cases.text import NotRaw
from turnchat.check.formats.page.evidence import case_of
from turnchat.check.formats.text import Text
from turnchat.check.report import Awaited, CaseResult, Kind, Shortfall, Verdict


def fallen(awaits: Awaited, expected: bytes, received: bytes) -> CaseResult:
    shortfall = Shortfall(
        Kind.WRONG, "it is not there", expected=expected, received=received, awaits=awaits
    )
    return result("text/one", Verdict.FAIL, shortfall=shortfall, screens=[["peer> ", "you> "]])


@pytest.mark.parametrize(
    ("awaits", "expected", "received", "is_of_screen"),
    [
        (Awaited.SCREEN, b"hello", b"peer> ", True),
        (Awaited.FRAME, b"005hello", b"peer> \nyou> ", True),
        (Awaited.FRAME, b"005hello", b"5hello", False),
        (NotRaw({}).awaits, b"", b"left\aright", False),
    ],
)
def test_bytes_of_the_wire_are_compared_and_a_screen_is_shown(
    awaits: Awaited, expected: bytes, received: bytes, *, is_of_screen: bool
) -> None:
    one = fallen(awaits, expected, received)
    assert ("Expected on the screen" in case_of(one, None)) is is_of_screen
    assert ("Expected and received" in case_of(one, None)) is not is_of_screen
    assert any(line.startswith("Received (") for line in Text(colour=False).explain(one)) is (
        not is_of_screen
    )
