"""A mistake in words: the sentence, the reason why it is one, and the way to mend it."""

from typing import NamedTuple


class Words(NamedTuple):
    """The harm that a mistake does, and the way to mend it, in a sentence or two each."""

    why: str
    mend: str


class Finding(NamedTuple):
    """A mistake that a recording shows.

    round: the one in which it begins. line: that of the recording which shows it. file: its number,
    or None. is_ours: False if the peer made it; then it is no mistake of the recorded loop.
    """

    round: int
    line: int
    kind: str
    text: str
    why: str
    mend: str
    file: int | None = None
    is_ours: bool = True


KINDS = {
    "spin": Words(
        "select() returns at once while the file is ready. So the loop runs round after round,"
        " never sleeps, and keeps a processor busy.",
        "Read from each file that select() returns: accept() from a listener, recv() from a"
        " connection. Or unregister the file until its data is wanted.",
    ),
    "write-spin": Words(
        "A socket can nearly always be written. So select() returns at once in each round, and the"
        " loop never sleeps.",
        "Register the socket with EVENT_READ alone. When send() leaves a rest, add EVENT_WRITE with"
        " selector.modify(), and take it away once the rest is sent.",
    ),
    "eof": Words(
        "At its end a stream stays readable for ever, and recv() returns no bytes at once. So the"
        " loop runs round after round, never sleeps, and keeps a processor busy.",
        'When recv() returns b"", unregister the socket at once, and close it unless something is'
        " still to be sent.",
    ),
    "slow": Words(
        "One thread serves all connections. While this callback runs, each of the others waits.",
        "Keep callbacks short: no time.sleep(), no long computation, no call that waits. Give long"
        " work to another process, and watch its pipe with the selector.",
    ),
    "slept": Words(
        "While a call sleeps, the loop stands still: no other connection is served, and no timer"
        " runs.",
        "Call setblocking(False) on the socket, and recv(), send() or accept() only once select()"
        " has returned it. Catch BlockingIOError, and try again in a later round.",
    ),
    "blocking": Words(
        "Readiness is a hint. The bytes may be gone before the call, and send() may find the"
        " kernel's buffer full. On a blocking socket the call then sleeps, and the loop with it.",
        "Call setblocking(False) before register(), and catch BlockingIOError. The sockets that"
        " accept() returns are blocking at first, even if the listener is not.",
    ),
    "pending": Words(
        "TLS has decrypted more than the last read has taken. select() sees the socket alone, where"
        " nothing waits any more. So these bytes lie there until the peer sends again.",
        "Before the next select(), read until SSLWantReadError comes, or until pending() is 0.",
    ),
    "closed": Words(
        "The selector still has the file, but the kernel gives its descriptor to the next"
        " connection. register() then raises KeyError, or events of one reach the callback of the"
        " other.",
        "Call selector.unregister(sock) first, then sock.close().",
    ),
    "lost": Words(
        "send() returns the number of bytes that it took, which may be fewer than all. The rest was"
        " thrown away, so the peer waits for the end of this frame, or takes the next one for it.",
        "Keep the rest, data[sent:], in a buffer of this connection. Watch the socket for"
        " EVENT_WRITE, and send the rest before anything else.",
    ),
    "queue": Words(
        "The sides take turns, so no more than one frame may wait for a peer. Here the same bytes"
        " are queued twice, or a message is sent out of turn.",
        "Send one frame, and wait for the peer's frame before the next one.",
    ),
    "fault": Words(
        "The peer cannot read this as a frame. It ends the conversation.",
        'Make each frame in one place: body = text.encode(), then b"%03d" % len(body) + body.'
        " A body has at most 255 bytes.",
    ),
    "turn": Words(
        "The sides take turns, one frame each. The peer takes a byte out of turn for a fault, and"
        " ends the conversation.",
        "Keep for each connection whose turn it is. Send one frame, then only read until the peer's"
        " frame is whole.",
    ),
    "after-end": Words(
        "BYEBYE, or the end of a stream, ends the conversation: nothing follows, no answer either."
        " The peer has closed already, or throws the bytes away.",
        "Compare the body with BYEBYE before you answer. After BYEBYE, close the connection.",
    ),
    "went-on": Words(
        "After a fault it is unknown where the next frame of that peer begins: all that follows is"
        " a guess. The peer's mistake has become this loop's, too.",
        "Send nothing after a fault: call shutdown(SHUT_WR), read until the peer ends its stream,"
        " and close.",
    ),
    "cut": Words(
        "The header has announced more bytes than were sent. The peer waits for the rest until its"
        " deadline comes.",
        "Send a whole frame, header and body, in one piece; and len() of the bytes is the length.",
    ),
    "peer": Words(
        "This is the peer's mistake. This loop is right if it now sends nothing more, and closes.",
        "Mend the peer. A recording of it shows the place in its code.",
    ),
    "foreign": Words(
        "No frame of turnchat has passed there: it begins with three digits, the number of bytes"
        " that follow. All other findings hold for any protocol.",
        "Nothing, if this loop is to speak another protocol. Otherwise put three digits in front of"
        ' each body, the number of its bytes: b"%03d" % len(body) + body.',
    ),
}


def finding(
    kind: str,
    text: str,
    *,
    round_: int,
    line: int,
    file: int | None = None,
    hint: Words | None = None,
    is_ours: bool = True,
) -> Finding:
    """Make a finding with the words for its kind. A hint knows more than they."""
    why, mend = KINDS[kind]
    if hint:
        why, mend = hint.why if is_ours else f"{hint.why} {why}", hint.mend
    return Finding(round_, line, kind, text, why, mend, file, is_ours)
