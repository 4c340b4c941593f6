"""The options for TLS, and what they open: cheap to import, since each start parses them."""

import argparse
import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from turnchat.cli.options import file_name, seconds
from turnchat.cli.startup import StartupError

if TYPE_CHECKING:
    from ssl import SSLContext

    from turnchat.core.loop import EventLoop
    from turnchat.logger import Logger
    from turnchat.net.tls import Handshakes
    from turnchat.process.backend import Backend

HANDSHAKE_TIMEOUT = 10.0  # seconds
CLIENT_OPTIONS = ("tls_ca", "tls_cert", "tls_key", "tls_name")
HINT = "for a certificate to try it with, see TLS in the manual"


def add_options(command_line: argparse.ArgumentParser, *, serves: bool) -> None:
    """Add the options of a server, or of a client."""
    group = command_line.add_argument_group("TLS")
    if serves:
        files = (
            ("--tls-cert", "speak TLS, with the certificate in FILE (PEM, with its chain)"),
            ("--tls-key", "the key of the certificate, if it is in another file"),
            ("--tls-client-ca", "require of clients a certificate of an authority in FILE"),
        )
    else:
        group.add_argument("--tls", action="store_true", help="speak TLS")
        files = (
            ("--tls-ca", "trust the authorities in FILE, or its certificate (default: the"
             " system's)"),
            ("--tls-cert", "show the server the certificate in FILE (PEM, with its chain)"),
            ("--tls-key", "the key of the certificate, if it is in another file"),
        )  # fmt: skip
    for option, meaning in files:
        group.add_argument(option, metavar="FILE", type=file_name, help=meaning)
    if serves:
        group.add_argument(
            "--handshake-timeout",
            metavar="S",
            type=seconds,
            default=HANDSHAKE_TIMEOUT,
            help="give a client S seconds for the handshake (default: %(default)g; 0: for ever)",
        )
    else:
        group.add_argument(
            "--tls-name",
            metavar="NAME",
            type=_name,
            help="the name that the server's certificate must have (default: the host in ADDRESS)",
        )


def check_server(command_line: argparse.ArgumentParser, arguments: argparse.Namespace) -> None:
    """Exit by way of `command_line` if the options of a server make no sense together."""
    if arguments.tls_cert:
        return
    for name in ("tls_key", "tls_client_ca", "handshake_timeout"):
        if getattr(arguments, name) != command_line.get_default(name):
            command_line.error(f"--{name.replace('_', '-')} needs --tls-cert FILE")


def check_client(command_line: argparse.ArgumentParser, arguments: argparse.Namespace) -> None:
    """Exit by way of `command_line` if the options of a client make no sense together."""
    if not arguments.tls:
        for name in CLIENT_OPTIONS:
            if getattr(arguments, name) is not None:
                command_line.error(f"--{name.replace('_', '-')} needs --tls")
    elif arguments.tls_key and not arguments.tls_cert:
        command_line.error("--tls-key needs --tls-cert FILE")
    elif arguments.address.path is not None and arguments.tls_name is None:
        command_line.error("a unix socket has no name: --tls needs --tls-name NAME with it")


class ServerTLS:
    """TLS of a server. handshakes: makes the step of each newcomer."""

    def __init__(
        self, loop: "EventLoop", backend: "Backend", arguments: argparse.Namespace, logger: "Logger"
    ) -> None:
        """Read the files. Raises StartupError."""
        from turnchat.core.loop import FOREVER  # noqa: PLC0415 - --help does without
        from turnchat.net.tls import Handshakes  # noqa: PLC0415 - few have a use for it

        self._files = arguments.tls_cert, arguments.tls_key, arguments.tls_client_ca
        self._logger = logger
        context = _opened(self._read)
        span = arguments.handshake_timeout or FOREVER
        self.handshakes = Handshakes(loop, context, span, wrap=backend.tls)

    def reload(self) -> None:
        """Read the files again, for newcomers to come; if that fails, all stays as it is."""
        from turnchat.net.tls.context import BadCertificate  # noqa: PLC0415 - see above

        try:
            self.handshakes.context = self._read()
        except BadCertificate as error:
            self._logger.error("the certificate stays as it was: %s", error)
        else:
            self._logger.info("read the certificate again, for new clients: %s", self._files[0])

    def _read(self) -> "SSLContext":
        from turnchat.net.tls.context import server_context  # noqa: PLC0415 - see above

        return server_context(*self._files)


def client_handshakes(
    loop: "EventLoop", backend: "Backend", arguments: argparse.Namespace
) -> "Handshakes":
    """Read the files of a client, and return what makes its step. Raises StartupError."""
    from turnchat.core.loop import FOREVER  # noqa: PLC0415 - --help does without
    from turnchat.net.tls import Handshakes  # noqa: PLC0415 - few have a use for it
    from turnchat.net.tls.context import client_context  # noqa: PLC0415 - see above

    files = arguments.tls_ca, arguments.tls_cert, arguments.tls_key
    context = _opened(lambda: client_context(*files))
    name = arguments.tls_name or arguments.address.host
    span = arguments.connect_timeout or FOREVER
    return Handshakes(loop, context, span, name, backend.tls)


def _opened(read: "Callable[[], SSLContext]") -> "SSLContext":
    """Return the context of files. Raises StartupError."""
    from turnchat.net.tls.context import BadCertificate  # noqa: PLC0415 - see above

    try:
        return read()
    except BadCertificate as error:
        raise StartupError(os.EX_NOINPUT, f"cannot use TLS: {error}", HINT) from error


def _name(text: str) -> str:
    """Parse the name of a server, or its address. Raises argparse.ArgumentTypeError."""
    try:
        text.encode("idna")
    except UnicodeError:
        is_name = False
    else:
        is_name = 0 < len(text) < 256 and not text.startswith(".") and text.isprintable()
    if not is_name:
        raise argparse.ArgumentTypeError(f"{text!r} is not the name of a server")
    return text
