"""Descriptors: so many conversations as they suffice for."""

import resource

import pytest

from turnchat.process.backend import affordable


@pytest.mark.parametrize(
    ("limits", "asked", "most", "soft"),
    [
        ((64, 64), 1000, 6, 64),
        ((8, 8), 1000, 0, 8),
        ((57, 57), 1000, 5, 57),  # 32 for the rest, and five for each
        ((56, 56), 1000, 4, 56),
        ((64, resource.RLIM_INFINITY), 100, 100, 532),
        ((64, 5000), 100, 100, 532),
        ((64, 100), 100, 13, 100),
        ((5000, 9000), 100, 100, 5000),
        ((resource.RLIM_INFINITY, resource.RLIM_INFINITY), 10**6, 10**6, resource.RLIM_INFINITY),
    ],
)
def test_descriptors_suffice_for_so_many_conversations(
    monkeypatch: pytest.MonkeyPatch,
    limits: tuple[int, int],
    asked: int,
    most: int,
    soft: int,
) -> None:
    now = [limits]
    monkeypatch.setattr(resource, "getrlimit", lambda _: now[-1])
    monkeypatch.setattr(resource, "setrlimit", lambda _, limits: now.append(limits))
    assert affordable(asked, with_program=True) == most
    assert now[-1] == (soft, limits[1])


def test_without_programs_they_suffice_for_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (256, 256))
    assert affordable(1000, with_program=False) == 240
    assert affordable(1000, with_program=True) == 44
