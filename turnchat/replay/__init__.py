"""Present a recording: a page for the browser, mistakes of the loop, broken rules, other formats.

The functions are not called like their modules, because a package holds only one of a name.
"""

from typing import TYPE_CHECKING

import turnchat

if TYPE_CHECKING:
    from turnchat.replay.lint import find_mistakes
    from turnchat.replay.page import render_page
    from turnchat.replay.perfetto import export_perfetto
    from turnchat.replay.timeline import build_timeline
    from turnchat.replay.validate import find_problems

__all__ = ["build_timeline", "export_perfetto", "find_mistakes", "find_problems", "render_page"]
__getattr__ = turnchat.lazy(
    __name__,
    {
        "build_timeline": "timeline",
        "export_perfetto": "perfetto",
        "find_mistakes": "lint",
        "find_problems": "validate",
        "render_page": "page",
    },
)
