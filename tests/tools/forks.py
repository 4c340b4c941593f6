"""Runs pytest again and again, each time in a fork of this process: its imports are made once.

A line on standard input has the arguments, in JSON. The answer is two lines: the number of the new
process, which leads a session of its own, and its exit status. Nothing of turnchat is imported
here, since each run has another version of it. The output of a run goes to the file in argv[1].
"""

import json
import os
import signal
import sys

import hypothesis.strategies
import pytest

assert hypothesis.strategies


def run(arguments: list[str]) -> None:
    """Run pytest, in the child."""
    os.setsid()
    os.environ["TURNCHAT_MUTANT"] = os.getcwd()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in the background of a shell
    for number in signal.SIGHUP, signal.SIGQUIT:
        signal.signal(number, signal.SIG_DFL)
    output = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    for descriptor, file in enumerate((os.open(os.devnull, os.O_RDONLY), output, output)):
        os.dup2(file, descriptor)
    status = pytest.main(arguments)
    sys.stdout.flush()
    os._exit(status)


for line in sys.stdin:
    pid = os.fork()
    if not pid:
        try:
            run(json.loads(line))
        finally:
            os._exit(1)
    print(pid, flush=True)
    _, status = os.waitpid(pid, 0)
    print(os.waitstatus_to_exitcode(status), flush=True)
