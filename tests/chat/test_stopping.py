"""A server that stops: it leaves nothing in the loop, which has work of others to end."""

import pytest

from tests.support import Peer, run_until
from tests.support.logs import collected_log
from turnchat.chat.admission.limits import Limits
from turnchat.chat.server import Server
from turnchat.core.loop import EventLoop
from turnchat.net.address import Address, bound_endpoint
from turnchat.net.sockets import listen
from turnchat.responders.echo import Echo


@pytest.mark.parametrize("has_client", [False, True])
def test_the_time_for_the_last_turns_is_over_when_the_last_client_has_gone(
    loop: EventLoop,
    has_client: bool,
) -> None:
    """What others have to do then, such as ending programs, has a time of its own."""
    logger, log = collected_log()
    server = Server(loop, logger, Limits())
    listening = listen(Address.parse("0").resolve())
    address = str(bound_endpoint(listening))
    server.start(listening, Echo)
    if has_client:
        peer = Peer.to(address)
        run_until(loop, lambda: server.connections)
    server.stop()
    if has_client:
        peer.close()
        run_until(loop, lambda: not server.connections)
    assert loop.active_timers == 0
    assert "stopping" in " ".join(log.lines)
