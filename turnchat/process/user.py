"""The user that a server becomes once it listens: `--user NAME[:GROUP]`.

A port below 1024 can be bound by root alone, but no conversation needs root. The change is for
good: real, effective and saved numbers are all set, and it is tried whether they can be taken back.
"""

import errno
import grp
import os
import pwd
from typing import NamedTuple, Self


class BadUser(ValueError):
    """A user or group that is not there. The text says so."""


class NotDropped(Exception):
    """The privileges can be taken back."""


class User(NamedTuple):
    """A user by name and number, the number of its group, and its home."""

    name: str
    uid: int
    gid: int
    home: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Look up "NAME" or "NAME:GROUP". Raises BadUser."""
        if not hasattr(os, "setresuid"):
            raise BadUser("this system cannot change the user for good: setresuid(2)")
        name, colon, group = text.partition(":")
        try:
            entry = pwd.getpwnam(name)
        except (KeyError, ValueError) as error:
            raise BadUser(f"there is no user {name!r}") from error
        try:
            gid = grp.getgrnam(group).gr_gid if colon else entry.pw_gid
        except (KeyError, ValueError) as error:
            raise BadUser(f"there is no group {group!r}") from error
        return cls(entry.pw_name, entry.pw_uid, gid, entry.pw_dir)

    @property
    def environment(self) -> dict[str, str]:
        """The variables that tell a program who it is."""
        return {"HOME": self.home, "LOGNAME": self.name, "USER": self.name}

    @property
    def is_ours(self) -> bool:
        """True if the process is this user already."""
        return self.uid != 0 and _numbers() == (self.uid, self.gid)

    def check(self) -> None:
        """Raise PermissionError if this process may not become the user."""
        if os.geteuid() and not self.is_ours:
            raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    def become(self) -> None:
        """Be this user from now on. Raises OSError if it is not allowed, or NotDropped."""
        if self.is_ours:
            return  # supplementary groups are for root to set
        os.initgroups(self.name, self.gid)  # the groups go first: they take root's rights
        os.setresgid(self.gid, self.gid, self.gid)
        os.setresuid(self.uid, self.uid, self.uid)
        if _numbers() != (self.uid, self.gid) or (self.uid and _can_be_root(self.gid)):
            raise NotDropped("root's privileges could not all be given up")


def _numbers() -> tuple[int, int] | None:
    """Return the user and the group, if real, effective and saved ones are the same."""
    users, groups = set(os.getresuid()), set(os.getresgid())
    return (users.pop(), groups.pop()) if len(users) == len(groups) == 1 else None


def _can_be_root(group: int) -> bool:
    """Return True if the user, or the group unless that is root's own, can be taken back."""
    for become in (os.setuid, os.seteuid, *([os.setgid] if group else [])):
        try:
            become(0)
        except PermissionError:
            continue
        return True
    return False
