"""The look of the diagrams: colours with names, for light and dark, and the widths of texts."""

from typing import NamedTuple

MARGIN = 16  # pixels, around each drawing
SANS = "system-ui, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, 'DejaVu Sans', sans-serif"
MONO = "ui-monospace, 'SF Mono', Menlo, Consolas, 'DejaVu Sans Mono', monospace"


class Theme(NamedTuple):
    """The colours that all of a drawing has."""

    panel: str
    edge: str  # of the panel
    ink: str
    dim: str
    line: str  # of arrows and lifelines


class Kind(NamedTuple):
    """The meaning of a box or a byte: its ground and its border, light and dark."""

    meaning: str
    light: tuple[str, str]
    dark: tuple[str, str]
    is_dashed: bool = False


LIGHT = Theme("#ffffff", "#d0d7e2", "#17202c", "#51607a", "#51607a")
DARK = Theme("#191f28", "#3a4658", "#e6ebf2", "#a3b0c4", "#a3b0c4")

# The replay page shows header, body, unsent bytes and faults in the same colours.
KINDS = {
    "plain": Kind("anything", ("#f3f5f8", "#6b7a93"), ("#222a36", "#8391a8")),
    "program": Kind("a program, or a part of it", ("#e3edfd", "#1a5fd0"), ("#1f3150", "#82b4ff")),
    "kernel": Kind("the kernel", ("#efe9dd", "#7d6a3f"), ("#37301f", "#c8b07a")),
    "header": Kind("bytes of a header", ("#e9e2fb", "#6b46c1"), ("#362c58", "#b9a3f5")),
    "body": Kind("bytes of a body", ("#dfeafc", "#1a5fd0"), ("#20365a", "#82b4ff")),
    "unsent": Kind("bytes not sent yet", ("#ffe3cf", "#b4540a"), ("#59331a", "#f2a66a")),
    "fault": Kind("a mistake, or bytes lost", ("#fde4e1", "#b3261e"), ("#4d2422", "#ff9b92")),
    "good": Kind("work that gets on", ("#d6f3e4", "#0a7048"), ("#123c2b", "#74deae")),
    "wait": Kind("waiting", ("#ffdf9e", "#8f5300"), ("#4a370d", "#f5bd6a")),
    "free": Kind("nothing yet", ("#ffffff", "#6b7a93"), ("#191f28", "#8391a8"), is_dashed=True),
}


class Style(NamedTuple):
    """The look of a text."""

    size: float
    is_mono: bool = False
    is_bold: bool = False
    is_dim: bool = False


STYLES = {
    "label": Style(14),
    "head": Style(14, is_bold=True),
    "note": Style(12.5, is_dim=True),
    "code": Style(13, is_mono=True),
    "small": Style(11.5, is_mono=True, is_dim=True),
}

# Of DejaVu Sans, in thousandths of the size: the widest of SANS, so a text fits in each.
WIDTHS = {
    300: "'ijlIJ",
    340: " ,.·/:;\\|",
    400: "f-()[]t!r",
    500: '"*_`–',
    530: "sz?",
    580: "cLFk",
    615: "vxyPTYoae",
    636: "EhnuSbdgpq$0123456789{}µ",
    700: "KAVXZBRC",
    790: "UNHDG&OQ",
    840: "w#+<=>^~×→←",
    990: "M%mW",
    1000: "@…",
}
WIDTH_OF = {character: width for width, all_ in WIDTHS.items() for character in all_}
BOLD, CELL = 1.17, 0.603  # times as wide; of a fixed-width font, in its size


def width_of(text: str, style: str) -> float:
    """Return the pixels that a text takes, in the widest font that may show it."""
    look = STYLES[style]
    if look.is_mono:
        return len(text) * CELL * look.size
    return sum(WIDTH_OF[each] for each in text) * look.size / 1000 * (BOLD if look.is_bold else 1)


def style_sheet() -> str:
    """Return the rules for both themes; a program that knows no media query shows the light one."""
    fonts = [
        f".{name}{{font-family:{MONO if style.is_mono else SANS};font-size:{style.size:g}px"
        f"{';font-weight:600' if style.is_bold else ''}}}"
        for name, style in STYLES.items()
    ]
    dashed = ",".join(f".{name}" for name, kind in KINDS.items() if kind.is_dashed)
    fonts += [".line{fill:none}", f"{dashed},.dashed{{stroke-dasharray:5 4}}"]
    dark = "\n".join(_colours(DARK, is_dark=True))
    return "\n".join(
        [*fonts, *_colours(LIGHT), f"@media (prefers-color-scheme:dark){{\n{dark}\n}}"]
    )


def _colours(theme: Theme, *, is_dark: bool = False) -> list[str]:
    dim = ",".join(f".{name}" for name, style in STYLES.items() if style.is_dim)
    rules = [
        f".panel{{fill:{theme.panel};stroke:{theme.edge}}}",
        f".halo{{fill:{theme.panel}}}",
        f"text{{fill:{theme.ink}}}",
        f"{dim}{{fill:{theme.dim}}}",
        f".line{{stroke:{theme.line}}}",
        f".tip{{fill:{theme.line}}}",
    ]
    for name, kind in KINDS.items():
        ground, border = kind.dark if is_dark else kind.light
        rules.append(f".{name}{{fill:{ground};stroke:{border}}}")
        rules.append(f".line.{name}{{fill:none}}")
        rules.append(f".tip.{name}{{fill:{border};stroke:none}}")
        rules.append(f"text.{name}{{fill:{border};stroke:none}}")
    return rules
