"""A part of a wide sweep for each run of the tests; the rest is left to continuous integration."""

from collections.abc import Collection, Iterable

import pytest
from _pytest.mark import ParameterSet


def sampled(cases: Iterable[object], every: int) -> list[ParameterSet]:
    """Mark all cases as slow but the first of each `every` ones."""
    return [
        pytest.param(
            *(case if isinstance(case, tuple) else (case,)),
            marks=() if at % every == 0 else (pytest.mark.slow,),
        )
        for at, case in enumerate(cases)
    ]


def with_slow(names: Iterable[str], slow: Collection[str]) -> list[ParameterSet]:
    """Mark the names in `slow` as that."""
    return [pytest.param(one, marks=pytest.mark.slow if one in slow else ()) for one in names]
