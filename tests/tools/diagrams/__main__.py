"""Draw the pictures of the guide: python -m tests.tools.diagrams [NAME ...]."""

import pkgutil
import sys
from collections.abc import Callable
from importlib import import_module

from tests.support.process import ROOT
from tests.tools import diagrams
from tests.tools.diagrams.drawing import Drawing

FOLDER = ROOT / "turnchat" / "guide" / "pictures"


def pictures() -> dict[str, Callable[[], Drawing]]:
    """Return the function of each picture, by its name."""
    found: dict[str, Callable[[], Drawing]] = {}
    for module in pkgutil.iter_modules(diagrams.__path__, f"{diagrams.__name__}."):
        if not module.name.endswith("__main__"):
            found |= getattr(import_module(module.name), "PICTURES", {})
    return found


def main(names: list[str]) -> None:
    """Write these pictures, or all of them."""
    drawn = pictures()
    if unknown := sorted(set(names) - set(drawn)):
        sys.exit(f"no picture is called {', '.join(unknown)}; there are {', '.join(sorted(drawn))}")
    FOLDER.mkdir(exist_ok=True)
    for name in names or sorted(drawn):
        (FOLDER / f"{name}.svg").write_text(drawn[name]().svg())


if __name__ == "__main__":
    main(sys.argv[1:])
