"""A KeyReader in a job of a shell that gives the terminal and takes it back."""

from collections.abc import Callable

from tests.support import Terminal

JOB = """
from turnchat.core.loop import EventLoop
from turnchat.process.stdio import open_stream
from turnchat.terminal import key_reader

def show(keys):
    for key in keys:
        print(key.text or key.name, flush=True)
        if key.name == "enter":
            loop.stop()

key_reader.IN_BACKGROUND = 0.02
loop = EventLoop()
reader = key_reader.KeyReader(loop, open_stream(0), show)
reader.on_background = lambda: print("background", flush=True)
reader.on_foreground = lambda: print("foreground", flush=True)
reader.on_end = loop.stop
reader.start()
loop.run()
reader.close()
"""
SHELL = f"""
import os, signal, subprocess, sys, termios

def take_back():
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    os.tcsetpgrp(0, os.getpgrp())

before = termios.tcgetattr(0)
job = subprocess.Popen([sys.executable, "-c", {JOB!r}], stdout=subprocess.PIPE, process_group=0)
for line in job.stdout:
    is_as_before = termios.tcgetattr(0) == before
    if line == b"background\\n":
        os.tcsetpgrp(0, job.pid)
    elif line == b"up\\n":
        take_back()
    print("job:", line.decode().strip(), is_as_before, flush=True)
take_back()
print("status", job.wait(), termios.tcgetattr(0) == before, flush=True)
"""


def test_a_job_in_a_shell(terminal: Callable[..., Terminal]) -> None:
    """Settings are those of before as long as the job has not had the terminal, and at its end."""
    shell = terminal("-c", SHELL)
    shell.sees("job: background True", "job: foreground False")
    shell.presses("a")
    shell.sees("job: a False")
    shell.presses("\x1b[A")
    shell.sees("job: up False")
    shell.presses("b")  # now it is the shell's, and the job must not read it
    shell.until(lambda: shell.text.count("job: background") == 2)
    shell.until(lambda: shell.text.count("job: foreground") == 2)
    shell.sees("job: b False")
    shell.presses("\r")
    shell.sees("job: enter", "status 0 True")
