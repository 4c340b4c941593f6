"""The sentences for a TLS that fails: why, and what to try.

They follow "192.0.2.1:5000 was refused:" in a server's log, "cannot reach chat.example:2322:" and
"the connection to the server was lost:" at a client. The log counts equal ones, so no sentence has
the address of a peer in it.
"""

from collections.abc import Iterable
from ssl import SSLCertVerificationError, SSLError, SSLObject
from typing import cast

from turnchat.text import safe

NAME_LIMIT = 64  # characters of a common name (RFC 5280, appendix A: ub-common-name)

# What a server says, then what a client says, here and below.
NO_TLS = (
    "it speaks no TLS: a turnchat-client needs --tls here",
    "it speaks no TLS: check the port; without --tls all would be sent in the clear",
)
CLOSED_AT_ONCE = (
    "it closed the connection before a TLS handshake",
    "it closed the connection at the TLS handshake: check the port, and that a server runs",
)
CLOSED_AMID = (
    "it closed the connection amid the TLS handshake",
    "it closed the connection amid the TLS handshake: its log may say why",
)
UNREADABLE = "the subject of its certificate cannot be read"

EXPIRED, EARLY, OTHER_NAME = {10}, {9}, {62, 64}  # x509_vfy.h: X509_V_ERR_...
SELF_SIGNED, UNKNOWN_ISSUER = {18}, {2, 19, 20, 21}

# What was found in the peer's certificate.
FOUND = (
    (EXPIRED, "its certificate has expired: it needs a new one",
     "its certificate has expired: it needs a new one, if the clock here is right"),
    (EARLY, "its certificate is not valid yet: check the clocks",
     "its certificate is not valid yet: check the clock here"),
    (SELF_SIGNED, "its certificate is signed by itself: it needs one of --tls-client-ca",
     "its certificate is signed by itself, and none that is trusted here: give a copy by --tls-ca"),
    (UNKNOWN_ISSUER, "its certificate is from no authority of --tls-client-ca",
     "its certificate is from no authority known here: give the authority's by --tls-ca FILE"),
    (OTHER_NAME, "its certificate is for another name",
     "its certificate is not for {name}: give a name that it has by --tls-name"),
)  # fmt: skip

# OpenSSL's words for an error, or the end of them.
NO_VERSION = "it has no version of TLS in common with this side, which takes 1.2 and 1.3"
HEARD = (
    ("PEER_DID_NOT_RETURN_A_CERTIFICATE", "it has shown no certificate: it needs --tls-cert",
     "it has shown no certificate"),
    ("ALERT_CERTIFICATE_REQUIRED", "it wants a certificate",
     "it wants a certificate of the client: give one by --tls-cert FILE"),
    ("ALERT_UNKNOWN_CA", "it does not know the authority of this server's certificate: it needs"
     " --tls-ca", "it does not know the authority of the client's certificate: give one of an"
     " authority that it knows by --tls-cert FILE"),
    ("ALERT_CERTIFICATE_EXPIRED", "it found this server's certificate expired: get a new one, or"
     " check its clock", "the client's certificate has expired: give a new one by --tls-cert FILE"),
    ("ALERT_BAD_CERTIFICATE", "it did not accept this server's certificate: a name may be missing"
     " in it", "it did not accept the client's certificate: give another by --tls-cert FILE"),
    ("ALERT_CERTIFICATE_UNKNOWN", "it did not accept this server's certificate",
     "it did not accept the client's certificate: give another by --tls-cert FILE"),
    ("ALERT_UNSUPPORTED_CERTIFICATE", "it did not accept this server's certificate: it is for"
     " another use", "it did not accept the client's certificate, which is for another use:"
     " give another by --tls-cert FILE"),
    ("ALERT_HANDSHAKE_FAILURE", "it found nothing in common for TLS",
     "it refused the TLS handshake: it may want a certificate, by --tls-cert FILE"),
    ("ALERT_UNRECOGNIZED_NAME", "it did not ask for this server",
     "it knows no server named {name}: give a name that it has by --tls-name"),
    ("ALERT_PROTOCOL_VERSION", NO_VERSION, NO_VERSION),
    ("UNSUPPORTED_PROTOCOL", NO_VERSION, NO_VERSION),
    ("WRONG_SSL_VERSION", NO_VERSION, NO_VERSION),
    ("VERSION_TOO_LOW", NO_VERSION, NO_VERSION),
    ("ALERT_UNEXPECTED_MESSAGE", NO_TLS[0], NO_TLS[1]),
)  # fmt: skip


def explain(error: SSLError, *, is_server: bool, name: str | None) -> str:
    """Return a sentence for an error of TLS. `name`: the one that the server should have."""
    if isinstance(error, SSLCertVerificationError):
        code = error.verify_code
        for codes, of_client, of_server in FOUND:
            if code in codes:
                return (of_client if is_server else of_server).format(name=name)
        return f"its certificate was not accepted: {safe(error.verify_message)}"
    words = error.reason or ""
    for ending, of_client, of_server in HEARD:
        if words.endswith(ending):
            return (of_client if is_server else of_server).format(name=name)
    shown = words.replace("_", " ").lower() or safe(str(error))
    return f"TLS failed: {shown}"


def common_name(tls: SSLObject) -> str:
    """Return the common name in the peer's certificate, safe to show; "" if there is none.

    The last one is the most specific. Raises ValueError or SSLError if it cannot be read.
    """
    certificate = tls.getpeercert() or {}
    subject = cast("Iterable[Iterable[tuple[str, str]]]", certificate.get("subject", ()))
    names = [value for part in subject for key, value in part if key == "commonName"]
    if not names:
        return ""
    shown = safe(names[-1])
    return shown if len(shown) <= NAME_LIMIT else f"{shown[:NAME_LIMIT]}..."
