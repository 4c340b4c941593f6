"""turnchat: a turn-taking chat over TCP on a hand-written, single-threaded event loop."""

TYPE_CHECKING = False  # as in typing, which takes milliseconds to import
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__version__ = "0.2.0.dev0"


def lazy(package: str, modules: "Mapping[str, str]") -> "Callable[[str], object]":
    """Return a package's `__getattr__`: it imports a name's module at the first use (PEP 562).

    So a program that needs one name of a package does not wait for the others.
    """

    def get(name: str) -> object:
        if name not in modules:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        from importlib import import_module  # noqa: PLC0415 - half a millisecond of start-up

        return getattr(import_module(f"{package}.{modules[name]}"), name)

    return get
