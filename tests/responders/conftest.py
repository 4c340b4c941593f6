import os
from collections.abc import Iterator

import pytest

from tests.support.editing import Editing
from tests.support.programs import Make, Scene
from turnchat.core.conversation import Turn
from turnchat.process.answers import Surplus
from turnchat.responders.prompt import Ask


@pytest.fixture(params=["pidfd", "SIGCHLD"])
def either(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways in which the exit of a process can be noticed."""
    if request.param == "SIGCHLD":
        monkeypatch.delattr(os, "pidfd_open")


@pytest.fixture
def make() -> Iterator[Make]:
    scenes: list[Scene] = []

    def made(
        text: str,
        *,
        first: Turn = Turn.THEIRS,
        use_pty: bool = False,
        names: list[str] | None = None,
        surplus: Surplus = Surplus.FIRST,
        empty_after: float = 0.0,
    ) -> Scene:
        scene = Scene(
            text,
            first,
            use_pty=use_pty,
            names=names or [],
            surplus=surplus,
            empty_after=empty_after,
        )
        scenes.append(scene)
        return scenes[-1]

    yield made
    for scene in reversed(scenes):
        scene.close()


@pytest.fixture
def editing(tty: tuple[int, int]) -> Iterator[Editing]:
    made = Editing(tty)
    made.asks(Ask("you> ", is_ready=True))
    yield made
    made.close()
