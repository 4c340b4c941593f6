"""Where the protocol leaves a choice, each choice passes; and the reasons name the mistake.

Most programs are the good client of the zoo with a line or two changed.
"""

import sys
from pathlib import Path

import pytest

from tests.support.zoo import ZOO, read_specimen, run_cases
from turnchat.check.case import LAB, TURNCHAT, Profile, Role
from turnchat.check.report import CaseResult, Kind, Verdict

pytestmark = pytest.mark.slow


GOOD = ZOO / "good" / "blocking_client.py"
REFUSAL = 'print("not sent: a message has 255 bytes at the most")'
SILENT = """    raise ConnectionError("bytes out of turn" if data else "the other side has hung up")
"""
CUT = """cut = body[:MOST].decode(errors="ignore")
        left.append(text[len(cut) :])
        body = cut.encode()
        break"""
INPUT = 'text = input("you> ")'
LEFT = 'text = left.pop() if left else input("you> ")'
SHOWN = 'print("peer>", "".join(one if one.isprintable() else "?" for one in text))'
RAW_AND_SLOW = "[(print(end=one, flush=True), time.sleep(0.02)) for one in text]; print()"
WITH_TIME = SHOWN.replace('"peer>"', '"| 12:34 peer>"').replace(
    " for one in text)", ' for one in text), "12:35:07 |"'
)
OLD_BYTES = [  # as in C, where a shorter message takes the place of a part of the longer one
    (
        "    body = receive(connected)\n",
        "    body = old[:] = (got := receive(connected)) + old[len(got) :]\n",
    ),
    ("HEADER = 3", "old = bytearray()\nHEADER = 3"),
]
AGAIN = "socket.create_connection((sys.argv[1], int(sys.argv[2])))"
RETURN = "            return\n"
MEANWHILE = [(f"{RETURN}\n\ndef main", f"{RETURN}        other = {AGAIN}\n\n\ndef main")]
LONG = ["frame/long-line", "frame/long-characters"]
DEAF = """
import socket, sys
with socket.create_server(("127.0.0.1", int(sys.argv[1]))) as listening:
    connected, _ = listening.accept()
    input("the message is not read")
"""


def results_of(
    folder: Path, changes: list[tuple[str, str]], only: list[str], profile: Profile = LAB
) -> dict[str, CaseResult]:
    """Run cases on the good client, changed."""
    text = GOOD.read_text()
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    (folder / GOOD.name).write_text(text)
    changed = read_specimen(GOOD)._replace(path=folder / GOOD.name)
    return run_cases(Role.CLIENT, profile, changed.command(folder), only)


@pytest.mark.parametrize(
    ("only", "changes"),
    [
        (LONG, [(REFUSAL, 'raise OSError("over 255 bytes")')]),
        (LONG, [(REFUSAL, CUT), (INPUT, LEFT), ("HEADER = 3", "left = []\nHEADER = 3")]),
        (LONG, [(REFUSAL, 'body = body[:MOST].decode(errors="ignore").encode()\n        break')]),
        (["frame/empty"], [("if len(body) <= MOST", "if 0 < len(body) <= MOST")]),
        (["turn/stray/*"], [(SILENT, "    connected.recv(1024)\n")]),
        (["text/leftover", "end/heard"], [(SHOWN, WITH_TIME)]),
    ],
    ids=["ends", "cuts in frames", "cuts off", "sends nothing", "throws away", "shows a time"],
)
def test_a_choice_that_is_left_passes(
    only: list[str], changes: list[tuple[str, str]], tmp_path: Path
) -> None:
    results = results_of(tmp_path, changes, only)
    assert not {
        name: result.reason
        for name, result in results.items()
        if result.verdict is not Verdict.PASS
    }


@pytest.mark.parametrize(
    ("name", "changes", "kind", "words"),
    [
        ("frame/long-line", [(REFUSAL, "1 / 0")], Kind.DIED, "ZeroDivisionError"),
        ("frame/long-line", [(REFUSAL, "break")], Kind.WRONG, "no frame: byte 1:"),
        ("frame/long-characters", [(REFUSAL, "body = body[:MOST]\n        break")], Kind.WRONG,
         "inside a character"),
        ("frame/size/short", [("% len(body) +", "% min(len(body), 98) +")], Kind.WRONG,
         "the program sent other bytes"),
        ("start/refused", [('sys.exit(f"client: {error}")', "sys.exit(1)")], Kind.WRONG,
         "without a word"),
        ("text/leftover", OLD_BYTES, Kind.WRONG, "beside '#short#': 'peer> #short#message-that-"),
        ("end/heard", OLD_BYTES, Kind.WRONG, "message stands behind it: 'peer> BYEBYEage-before-"),
        ("turn/one-connection", MEANWHILE,
         Kind.WRONG, "the program connected again, in the middle of the conversation"),
        ("end/said", [("            hang_up(connected)\n",
                       f"            hang_up(connected)\n            {AGAIN}.recv(1)\n")],
         Kind.WRONG, "the program connected again, after the conversation"),
    ],
    ids=["crash", "300", "half a character", "98", "no word", "old bytes", "BYEBYE and old bytes",
         "two connections", "connects after the end"],
)  # fmt: skip
def test_a_reason_names_the_mistake(
    name: str, changes: list[tuple[str, str]], kind: Kind, words: str, tmp_path: Path
) -> None:
    result = results_of(tmp_path, changes, [name])[name]
    assert result.verdict is Verdict.FAIL
    assert result.shortfall
    assert result.shortfall.kind is kind
    assert words in result.reason


def test_a_message_out_of_turn_is_answered_by_the_end_at_once_in_the_full_profile(
    tmp_path: Path,
) -> None:
    """The blocking client looks only when its person has typed: enough for the lab alone."""
    results = results_of(tmp_path, [], ["turn/stray/waiting"], TURNCHAT)
    result = results["turn/stray/waiting"]
    assert result.shortfall
    assert result.shortfall.kind is Kind.HANGS
    assert results["turn/two"].verdict is Verdict.PASS


def test_two_sends_are_seen_and_counted(tmp_path: Path) -> None:
    changes = [
        (
            'connected.sendall(b"%03d" % len(body) + body)',
            'connected.sendall(b"%03d" % len(body)); connected.sendall(body)',
        )
    ]
    result = results_of(tmp_path, changes, ["frame/segment"])["frame/segment"]
    assert result.verdict is Verdict.WARN
    assert result.reason == "the program sent 2 messages in 4 segments"


def test_raw_bytes_are_found_however_slowly_they_are_written(tmp_path: Path) -> None:
    """The echo of the next line that is typed does not stand among them."""
    changes = [(SHOWN, RAW_AND_SLOW), ("import sys\n", "import sys, time\n")]
    result = results_of(tmp_path, changes, ["text/overrides"])["text/overrides"]
    assert result.verdict is Verdict.FAIL
    assert "U+202E, right to left; U+202D, left to right; U+2067, an isolate" in result.reason


def test_a_server_that_cannot_start_again_is_told_the_option(tmp_path: Path) -> None:
    bad = read_specimen(ZOO / "bad" / "no_reuseaddr.py")
    result = run_cases(Role.SERVER, LAB, bad.command(tmp_path), ["start/again"])["start/again"]
    assert result.reason.startswith("the program does not set SO_REUSEADDR before bind()")


def test_a_server_that_does_not_read_is_not_tried_again_and_told_why() -> None:
    """Its connection is reset and holds no port, whatever the system is."""
    command = [sys.executable, "-c", DEAF, "{port}"]
    result = run_cases(Role.SERVER, LAB, command, ["start/again"])["start/again"]
    assert result.verdict is Verdict.SKIP
    assert result.reason.endswith("the program has not read its first message")


def test_a_wrong_header_is_no_word_out_of_turn(tmp_path: Path) -> None:
    bad = read_specimen(ZOO / "bad" / "unpadded_header.py")
    results = run_cases(Role.SERVER, LAB, bad.command(tmp_path), ["turn/first", "frame/message"])
    assert results["turn/first"].verdict is Verdict.PASS
    assert results["frame/message"].verdict is Verdict.FAIL
