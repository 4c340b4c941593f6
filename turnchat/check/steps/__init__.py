"""The vocabulary of the scripts: all that the checker can do, wait for, and measure.

A step is done at once, or waits until look() is true, or until its time is up. Names are from the
checker's place: it says and types; the program is heard, and shows.
"""

from turnchat.check.steps.either import HearFrame, HearOneOf
from turnchat.check.steps.ending import Ends, Leaves
from turnchat.check.steps.measure import Pass, Rests, measured
from turnchat.check.steps.program import (
    Exits,
    Kill,
    Meet,
    NoCrash,
    ShowsAnything,
    Start,
    StopListening,
)
from turnchat.check.steps.step import Polling, Step
from turnchat.check.steps.terminal import ComesToRest, Press, Shows, ShowsAgain, Tells, Type
from turnchat.check.steps.wire import (
    Closes,
    EndStream,
    HangUp,
    Hear,
    OfPeer,
    Quiet,
    Reset,
    Say,
    Send,
    Taken,
    frame,
)

__all__ = [
    "Closes",
    "ComesToRest",
    "EndStream",
    "Ends",
    "Exits",
    "HangUp",
    "Hear",
    "HearFrame",
    "HearOneOf",
    "Kill",
    "Leaves",
    "Meet",
    "NoCrash",
    "OfPeer",
    "Pass",
    "Polling",
    "Press",
    "Quiet",
    "Reset",
    "Rests",
    "Say",
    "Send",
    "Shows",
    "ShowsAgain",
    "ShowsAnything",
    "Start",
    "Step",
    "StopListening",
    "Taken",
    "Tells",
    "Type",
    "frame",
    "measured",
]
