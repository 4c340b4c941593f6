from collections.abc import Callable, Iterator

import pytest

from tests.support.visitors import Scene

Visit = Callable[..., Scene]


@pytest.fixture
def visit() -> Iterator[Visit]:
    scenes: list[Scene] = []

    def made(*arguments: object, **how: object) -> Scene:
        scenes.append(Scene(*arguments, **how))  # type: ignore[arg-type]
        return scenes[-1]

    yield made
    for scene in scenes:
        scene.close()
