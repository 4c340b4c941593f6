"""The page of a conversation over TLS: the example that ships with turnchat."""

import pytest

pytest.importorskip("selenium", reason="the browser is driven by selenium")

from tests.replay.conftest import BOTH_ENDS
from tests.support.page import Shown

pytestmark = pytest.mark.slow  # each has a browser; test_page.py is run each time

RECORD_HEADER = 5
HELLO = next(
    len(event["octets"]) for _, event in BOTH_ENDS[1].events if event["call"] == "send"
)  # bytes; the ClientHello is OpenSSL's
FIRST = next(  # of the server's calls of recv(), the one that brings it
    nth
    for nth, event in enumerate(
        event for _, event in BOTH_ENDS[0].events if event["call"] == "recv"
    )
    if event.get("octets")
)
WORDS = f"1 TLS record: handshake (ClientHello) {HELLO - RECORD_HEADER} bytes"
TLS = "[aria-label='client 1'] .buffer:last-child"


def go(shown: Shown, call: str, nth: int = 0) -> None:
    """Go to a call of that name on a connection."""
    shown.run(
        """
        const found = steps.flatMap(({ call, file }, i) =>
          call === arguments[0] && files[file]?.kind === "connection" ? [i] : []);
        go(found.at(arguments[1]));
        """,
        call,
        nth,
    )
    shown.settle()


def test_records_are_shown_with_their_header_and_without_their_bytes_as_text(shown: Shown) -> None:
    shown.open("server")
    go(shown, "recv", FIRST)
    assert shown.call.startswith("recv(client 1, ")
    assert shown.call.endswith(f") = {HELLO} bytes")
    assert len(shown.all("#data .byte.head")) == RECORD_HEADER
    assert shown.text("#explanation b") == f"{WORDS}."
    assert shown.text(TLS) == "TLS handshake: between records"
    (row,) = shown.all(".arrow[aria-current]")
    assert (row.text, "records" in str(row.get_attribute("class"))) == (WORDS, True)
    assert shown.cells == [""] * 3


def test_a_decrypted_message_is_a_frame_in_the_read_buffer(shown: Shown) -> None:
    shown.open("server")
    go(shown, "decrypt")
    assert "".join(shown.cells[:5]) == "024he"
    assert shown.texts("#data .byte.head") == ["0", "2", "4"]
    assert "The peer says “hello, is anybody there?”, our turn" in shown.text("#explanation")
    assert shown.text(TLS) == "TLS 1.3: between records"


def test_an_encrypted_message_goes_out_as_a_record(shown: Shown) -> None:
    shown.open("server")
    go(shown, "encrypt")
    (row,) = shown.all(".arrow[aria-current]")
    assert row.get_attribute("aria-label") == "to client 1: I am: one thread, and all ears"
    assert shown.texts("#data .byte.head") == ["0", "3", "0"]
    shown.click("#step")
    assert shown.text("#explanation b").startswith("1 TLS record: application data")


def test_the_end_of_the_handshake_is_a_mark_in_the_conversation(shown: Shown) -> None:
    shown.open("server")
    go(shown, "handshake", -1)
    (row,) = shown.all(".arrow[aria-current]")
    assert row.text.startswith("client 1 handshake complete with “Ada”: TLS 1.3, ")
    assert row.find_elements("css selector", ".dot")


def test_messages_of_a_handshake_are_found(shown: Shown) -> None:
    shown.open("server")
    shown.press("/")
    shown.press("clienthello")
    (said,) = shown.all("#found-list .said")
    assert said.get_attribute("textContent") == WORDS


def test_records_are_in_flight_between_both_ends(shown: Shown) -> None:
    shown.open("tls")
    go(shown, "send", 0)
    assert shown.text(".wire p") == f"← {HELLO} bytes in flight to turnchat-server"
    assert len(shown.all(".wire .byte.head")) == RECORD_HEADER


@pytest.mark.slow
@pytest.mark.parametrize("name", ["server", "tls"])
def test_each_step_can_be_shown(shown: Shown, name: str) -> None:
    shown.open(name)
    drawn = shown.run("steps.forEach((_, i) => go(i)); return now === steps.length - 1")
    assert drawn
    last = shown.run("for (let i = steps.length; i--; ) go(i); return now")
    assert last == 0
