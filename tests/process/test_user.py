"""Users that a server can become. Becoming one is tried in a process of its own."""

import pwd
import subprocess
import sys

import pytest

from tests.support.process import ROOT
from tests.support.tools import needs
from turnchat.process.user import BadUser, User

NOBODY = pwd.getpwnam("nobody")
as_root = needs("root")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "there is no user ''"),
        ("no such user", "there is no user 'no such user'"),
        ("nul\0", "there is no user 'nul\\\\x00'"),
        ("nobody:", "there is no group ''"),
        ("nobody:no such group", "there is no group 'no such group'"),
    ],
)
def test_a_user_that_is_not_there_is_named(text: str, why: str) -> None:
    with pytest.raises(BadUser, match=why):
        User.parse(text)


def test_a_user_has_its_group_or_the_one_that_is_named() -> None:
    user = User.parse("nobody")
    assert user[:3] == ("nobody", NOBODY.pw_uid, NOBODY.pw_gid)
    assert User.parse("nobody:daemon").gid != user.gid
    assert user.environment == {"HOME": NOBODY.pw_dir, "LOGNAME": "nobody", "USER": "nobody"}


def becoming(text: str, code: str, before: str = "") -> list[str]:
    """What a process prints that becomes the user, and then runs `code`."""
    whole = f"""
import os
from turnchat.process.user import NotDropped, User
user = User.parse({text!r})
{before}
try:
    user.become()
except (OSError, NotDropped) as error:
    print(type(error).__name__, error)
else:
    {code}
"""
    ran = subprocess.run(
        [sys.executable, "-c", whole], capture_output=True, check=True, text=True, cwd=ROOT
    )
    return ran.stdout.split()


@as_root
def test_all_that_root_has_is_gone() -> None:
    shown = becoming(
        "nobody:daemon",
        "print(*os.getresuid(), *os.getresgid(), *os.getgroups())",
        before="os.setgroups([0])",
    )
    uid, gid = NOBODY.pw_uid, User.parse("nobody:daemon").gid
    numbers = list(map(int, shown))
    assert numbers[:6] == [uid] * 3 + [gid] * 3
    assert 0 not in numbers


@as_root
def test_the_group_of_root_may_stay_if_it_is_asked_for() -> None:
    shown = becoming("nobody:root", "print(*os.getresuid(), *os.getresgid())")
    assert list(map(int, shown)) == [NOBODY.pw_uid] * 3 + [0] * 3


@as_root
@pytest.mark.parametrize("call", ["setresuid", "setresgid"])
def test_a_change_that_does_nothing_is_noticed(call: str) -> None:
    shown = becoming("nobody", "print('became')", before=f"os.{call} = lambda *_: None")
    assert shown[0] in ("NotDropped", "PermissionError")


@as_root
@pytest.mark.parametrize(
    "before",
    [
        "real = os.setresuid; os.setresuid = lambda r, e, s: real(r, e, 0)",
        "real = os.setresgid; os.setresgid = lambda *_: real(1, 1, 1)",
        "real = os.setuid; os.setuid = lambda number: number and real(number)",  # CAP_SETUID
        "real = os.seteuid; os.seteuid = lambda number: number and real(number)",
        "real = os.setgid; os.setgid = lambda number: number and real(number)",
    ],
)
def test_privileges_that_are_left_or_can_be_taken_back_are_noticed(before: str) -> None:
    assert becoming("nobody", "print('became')", before)[0] == "NotDropped"


@as_root
def test_another_user_may_become_itself_and_no_other() -> None:
    drop = f"os.setgroups([]); os.setresgid(*[{NOBODY.pw_gid}] * 3);"
    drop += f"os.setresuid(*[{NOBODY.pw_uid}] * 3)"
    assert becoming("nobody", "print('is')", drop) == ["is"]
    assert becoming("daemon", "print('is')", drop)[0] == "PermissionError"


@as_root
def test_root_stays_root_and_has_the_groups_of_root_alone() -> None:
    shown = becoming("root", "print(os.getuid(), *os.getgroups())", before="os.setgroups([4321])")
    assert shown[0] == "0"
    assert "4321" not in shown
