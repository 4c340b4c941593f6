"""The handout for students: one printed page, whose examples are right."""

import re

from tests.support import ROOT
from turnchat.core.conversation import Conversation, Turn

TEACHING = (ROOT / "turnchat" / "check" / "TEACHING.md").read_text()
HANDOUT = TEACHING.partition("## Handout for students\n")[2].partition("\n## ")[0]
PAGE = 60  # lines


def test_the_handout_is_one_page() -> None:
    assert 0 < len(HANDOUT.splitlines()) <= PAGE


def test_its_diagrams_show_the_bytes_of_their_messages() -> None:
    texts = re.findall(r"^The message `(.+)` has", HANDOUT, re.MULTILINE)
    rows = re.findall(r"^    byte +((?:[0-9a-f]{2} ?)+)$", HANDOUT, re.MULTILINE)
    assert len(texts) == len(rows) == 2
    for text, row in zip(texts, rows, strict=True):
        assert Conversation(Turn.THEIRS).receive(bytes.fromhex(row)) == text.encode()


def test_it_names_the_programs_as_the_lab_finds_them() -> None:
    names = re.findall(r"^ +python3 ((?:server|client)_\w+\.py)", HANDOUT, re.MULTILINE)
    assert names == ["server_12345678d.py", "client_12345678d.py"]
    for word in ("SO_REUSEADDR", "name and your ID", "status 0", "status is not 0"):
        assert word in HANDOUT
