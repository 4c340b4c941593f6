"""The options of a server behind a balancer, without a balancer."""

import pytest

from tests.support.process import SERVER, run

BEHIND = ("--proxy-protocol", "--proxy-from")


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (
            ["--proxy-protocol"],
            "--proxy-protocol needs --proxy-from: the networks of the balancers",
        ),
        (["--proxy-from", "::1"], "--proxy-from needs --proxy-protocol"),
        (
            [*BEHIND, "10.0.0.0/8", "unix:/tmp/x"],
            "refuses all who come to unix:/tmp/x: add unix",
        ),
        ([*BEHIND, "10.0.0.0/8,all"], "argument --proxy-from: 'all' is not a network: write"),
    ],
)
def test_options_that_make_no_sense_are_refused(options: list[str], why: str) -> None:
    status, out, err = run(SERVER, *options)
    assert (status, out) == (2, "")
    assert why in err


@pytest.mark.parametrize(("options", "is_there"), [([], False), ([*BEHIND, "::1"], True)])
def test_a_start_without_them_imports_nothing_for_them(options: list[str], is_there: bool) -> None:
    """The address is that of another machine (RFC 5737), so the start ends when it would listen."""
    command = ("-X", "importtime", SERVER, "--echo", *options, "203.0.113.1:1")
    status, _, err = run(*command)
    assert status == 69
    for module in ("ipaddress", "turnchat.net.proxy", "turnchat.net.newcomer"):
        assert (f" {module}\n" in err) is is_there, module
