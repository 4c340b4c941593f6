"""The layers around a program, and the best of them that this machine can give.

The worker gets a network of its own, with nothing in it but its loopback. So the program reaches
its checker and no other machine, and two workers can use one fixed port. In it, the program gets
process numbers of its own, an empty home, and a file system that it can only read. It can make no
user namespace of its own: there it could mount memory as files, beyond all bounds. All layers end
with their parent, also by SIGKILL.

The program keeps a terminal, since it is interactive, and may push characters into it (TIOCSTI).
The terminal is the checker's own and read by this program alone, so it can only cheat itself.

With root, the programs of each folder run as a user that owns nothing: the kernel does not count
root's processes, and root could undo all this. Only root can make the view of one user for another,
and only a user who is not root can be kept from more namespaces. So there are two of bwrap then.
"""

import os
import shutil
from collections.abc import Iterable, Sequence
from typing import NamedTuple
from zlib import crc32

from turnchat.check.sandbox.limits import Limits, first_to_go, tasks_of
from turnchat.check.sandbox.needs import needs_of
from turnchat.check.sandbox.view import View, has_option
from turnchat.process.command import bounds, failure_of

STRANGERS = range(40_000, 60_000)  # users that no system has by itself, and small containers map
# A change of the user clears the signal for the end of the parent, so it is set again.
NO_RIGHTS = (
    *("--clear-groups", "--inh-caps=-all", "--bounding-set=-all", "--no-new-privs"),
    *("--pdeathsig", "KILL", "--"),
)
TAKE_TERMINAL = ("setsid", "--ctty")
CAN_REACH = 'for one; do [ -r "$one" ] && { [ ! -d "$one" ] || [ -x "$one" ]; } || exit 1; done'
WITH_PARENT = "--die-with-parent"
NO_MORE_USERS = ("--unshare-user", "--disable-userns")
ADVICE = "install bubblewrap (apt install bubblewrap), or use a container: TEACHING.md"


class NoSandbox(Exception):
    """The sandbox that was asked for cannot be had. The text says why."""


class Sandbox(NamedTuple):
    """The layers that work here. NOTHING has none: its programs just end with their worker.

    worker_prefix: words in front of a worker, for its network. has_bwrap: programs run in
    bubblewrap. can_close: they can be kept from namespaces of their own. needs: paths that
    programs must reach. missing: why it is not all of it.
    """

    worker_prefix: Sequence[str] = ()
    limits: Limits | None = None
    has_bwrap: bool = False
    can_close: bool = False
    needs: Sequence[str] = ()
    missing: str | None = None

    @property
    def memory(self) -> int | None:
        """The bytes that all processes of a program may use together."""
        return self.limits and self.limits.memory

    def program_prefix(self, folder: str | None = None, *, hidden: Iterable[str] = ()) -> list[str]:
        """Return the words in front of a program that runs in `folder`, None for the present one.

        hidden: folders and files that it must not see, as those of other hand-ins. Whatever it
        writes is lost with bubblewrap.
        """
        if self.limits is None:
            return bounds(None)
        place = os.path.realpath(folder or os.curdir)
        if self.has_bwrap:
            view = View(self.limits, folder, hidden)
            view.show(self.needs)
            return [
                *first_to_go(), *self._bwrap(view.words(), _drop(place)),
                *self.limits.words(), *TAKE_TERMINAL,
            ]  # fmt: skip
        drops = _drop(place) if self._can_drop(place) else []
        others = 0 if drops else tasks_of(os.geteuid())
        return [*first_to_go(), *(drops or bounds(None)), *self.limits.words(others)]

    def lets_strangers_in(self) -> bool:
        """Return True if programs run as other users, who see the folders as they are."""
        return self.limits is not None and not self.has_bwrap and os.geteuid() == 0

    def give(self, folder: str) -> None:
        """Let no other program's user enter the folder of a program, as far as users differ."""
        if self.lets_strangers_in() and self._can_drop(folder):
            os.chown(folder, -1, _stranger(folder))
            os.chmod(folder, 0o750)

    def describe(self, folder: str = "/") -> str:
        """Return a line for people about programs below a folder."""
        missing = self.missing
        if self.lets_strangers_in() and not self._can_drop(folder):
            missing = "; ".join(filter(None, ["they run as root", missing]))
        layers = [
            "limits" if self.limits else "",
            "bubblewrap" if self.has_bwrap else "",
            "a network of their own" if self.worker_prefix else "",
        ]
        text = f"programs run with {', '.join(filter(None, layers)) or 'no limits'}"
        return f"{text}; {missing}" if missing else text

    def _bwrap(self, view: Sequence[str], drops: Sequence[str]) -> list[str]:
        ends = ["--unshare-pid", WITH_PARENT]
        own = [*ends, "--unshare-ipc", "--unshare-uts"]
        closed = NO_MORE_USERS if self.can_close else ()
        if not drops or not closed:
            return ["bwrap", *view, "--proc", "/proc", *own, *closed, "--", *drops]
        return [
            # The inner one writes the kernel's settings, which are below /proc.
            "bwrap", *view, "--bind", "/proc", "/proc", *own, "--", *drops,
            "bwrap", "--dev-bind", "/", "/", "--proc", "/proc", *ends, *closed, "--",
        ]  # fmt: skip

    def _can_drop(self, folder: str) -> bool:
        """Return True if we are root, and its user can reach the folder and all that is needed."""
        reach = ["sh", "-c", CAN_REACH, "sh", folder, *self.needs]
        return os.geteuid() == 0 and not failure_of(_drop(folder), reach)


NOTHING = Sandbox()


def find(
    wanted: bool | None, commands: Iterable[Sequence[str]] = (), limits: Limits | None = None
) -> Sandbox:
    """Return the best sandbox that works here, by running a program in it.

    wanted: True for bubblewrap and nothing less, False for limits alone, None for what there is.
    commands: those that are to run, so that their programs stay in reach. Raises NoSandbox.
    """
    limited = Sandbox(limits=limits or Limits(), needs=list(dict.fromkeys(needs_of(commands))))
    worker = ["bwrap", "--dev-bind", "/", "/", "--unshare-net", WITH_PARENT, "--"]
    whole = _closed(limited._replace(worker_prefix=worker, has_bwrap=True))
    failure = "it is not wanted" if wanted is False else _failure(whole)
    if not failure:
        return whole
    if wanted:
        raise NoSandbox(f"programs cannot run in bubblewrap: {failure}; {ADVICE}")
    no_network = limited._replace(has_bwrap=True, missing=f"no network of their own: {failure}")
    inner = _closed(no_network)
    if wanted is None and not _failure(inner):
        return inner
    if not_limited := _failure(limited):
        return NOTHING._replace(missing=f"limits need the package util-linux: {not_limited}")
    return (
        limited
        if wanted is False
        else limited._replace(missing=f"no bubblewrap: {failure}; {ADVICE}")
    )


def takes_terminal(prefix: Sequence[str]) -> bool:
    """Return True if a prefix makes the session of its program, and takes its terminal."""
    return tuple(prefix[-len(TAKE_TERMINAL) :]) == TAKE_TERMINAL


def _closed(sandbox: Sandbox) -> Sandbox:
    """Return the sandbox without namespaces for its programs, if this bwrap and kernel can."""
    closed = sandbox._replace(can_close=True)
    can = shutil.which("bwrap") and has_option(NO_MORE_USERS[-1]) and not _failure(closed)
    return closed if can else sandbox


def _drop(folder: str) -> list[str]:
    """Return the words that change from root to the user of a folder."""
    if os.geteuid() != 0:
        return []
    user = _stranger(folder)
    return ["setpriv", f"--reuid={user}", f"--regid={user}", *NO_RIGHTS]


def _stranger(folder: str) -> int:
    """Return the number of the user, and of the group, for the programs of a folder.

    Each folder has its own: RLIMIT_NPROC and kill(2) then do not reach from one to the other.
    """
    return STRANGERS[crc32(os.fsencode(os.path.realpath(folder))) % len(STRANGERS)]


def _failure(sandbox: Sandbox) -> str | None:
    """Run a program that does nothing. Return the reason if that fails."""
    if sandbox.has_bwrap and not shutil.which("bwrap"):
        return "it is not installed"
    # It has no terminal to take here.
    words = [*sandbox.worker_prefix, *sandbox.program_prefix()]
    return failure_of([word for word in words if word not in TAKE_TERMINAL])
