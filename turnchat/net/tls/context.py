"""Certificates and keys from their files, and the rules for both sides.

TLS 1.2 at least, since older ones are broken (RFC 8996); all else is Python's own choice. ALPN says
what is spoken behind TLS (RFC 7301). A peer that does not use it, such as a balancer, is accepted.

TLS 1.2 has no renegotiation here: it would let a peer make this side shake hands again and again,
and writing might then have to wait for reading.
"""

import os
import ssl
import stat
from typing import NoReturn

from turnchat.text import reason

PROTOCOL = "turnchat/1"


class BadCertificate(Exception):
    """A file that is no use for TLS. Its message names the file, and has the reason."""


class _Encrypted(Exception):
    """The key is encrypted, and OpenSSL asks for its pass phrase."""


def server_context(certificate: str, key: str | None, client_ca: str | None) -> ssl.SSLContext:
    """Read the files of a server; `client_ca`: a client needs a certificate of an authority there.

    Raises BadCertificate.
    """
    context = _default_context(ssl.Purpose.CLIENT_AUTH, client_ca)
    _load_own(context, certificate, key)
    if client_ca is not None:
        context.verify_mode = ssl.CERT_REQUIRED
    return _with_rules(context)


def client_context(ca: str | None, certificate: str | None, key: str | None) -> ssl.SSLContext:
    """Read the files of a client; without `ca` it trusts the authorities that the system trusts.

    Raises BadCertificate.
    """
    context = _default_context(ssl.Purpose.SERVER_AUTH, ca)
    if certificate is not None:
        _load_own(context, certificate, key)
    return _with_rules(context)


def _with_rules(context: ssl.SSLContext) -> ssl.SSLContext:
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION
    context.set_alpn_protocols([PROTOCOL])
    return context


def _load_own(context: ssl.SSLContext, certificate: str, key: str | None) -> None:
    for path in (certificate, key):
        if path is not None:
            _check_access(path)

    def refuse() -> NoReturn:  # OpenSSL would ask at the terminal
        raise _Encrypted

    try:
        context.load_cert_chain(certificate, key, password=refuse)
    except _Encrypted:
        failure = f"the key in {key or certificate} has a pass phrase: openssl pkey takes it off"
        raise BadCertificate(failure) from None
    except OSError as error:
        raise BadCertificate(_diagnose(error, certificate, key)) from error


def _default_context(purpose: ssl.Purpose, ca: str | None) -> ssl.SSLContext:
    """Return Python's own choice, which trusts the authorities in the file `ca`."""
    if ca is not None:
        _check_access(ca)
    try:
        return ssl.create_default_context(purpose, cafile=ca)
    except OSError as error:
        if not isinstance(error, ssl.SSLError):  # ca can be read; Python opens another file
            log = os.environ.get("SSLKEYLOGFILE", "")
            failure = f"cannot write {log}, which SSLKEYLOGFILE names: {reason(error)}"
            raise BadCertificate(failure) from error
        if ca is None:
            raise BadCertificate(f"TLS cannot be used: {_words(error)}") from error
        if "CERTIFICATE-----" not in _text_of(ca):
            raise BadCertificate(f"{ca} has no certificate in PEM") from error
        raise BadCertificate(f"{ca} has a certificate that is broken: {_words(error)}") from error


def _check_access(path: str) -> None:
    """Raise BadCertificate if a file cannot be read: OpenSSL's errors do not name it."""
    try:
        if stat.S_ISFIFO(os.stat(path).st_mode):
            raise BadCertificate(f"{path} is a pipe, which would have to be read again and again")
        with open(path, "rb"):
            pass
    except OSError as error:
        raise BadCertificate(f"cannot read {path}: {reason(error)}") from error


def _diagnose(error: OSError, certificate: str, key: str | None) -> str:
    """Word an error of load_cert_chain(), which says neither which file nor why."""
    words = getattr(error, "reason", None) or ""
    key = key or certificate
    if words == "KEY_VALUES_MISMATCH":
        return f"the key in {key} is not that of the certificate in {certificate}"
    if "CERTIFICATE-----" not in _text_of(certificate):
        return f"{certificate} has no certificate in PEM"
    if "PRIVATE KEY-----" not in _text_of(key):
        hint = ": name the file that has it by --tls-key" if key == certificate else ""
        return f"{key} has no private key in PEM{hint}"
    where = certificate if key == certificate else f"{certificate} or {key}"
    return f"{where} is broken: {_words(error)}"


def _text_of(path: str) -> str:
    try:
        with open(path, encoding="latin-1") as file:
            return file.read(1 << 20)
    except OSError:
        return ""


def _words(error: OSError) -> str:
    """Return OpenSSL's words for an error."""
    return (getattr(error, "reason", None) or str(error)).replace("_", " ").lower()
