"""A part of a wide sweep for each run of the tests; the rest is left to continuous integration."""

from collections.abc import Iterable

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
