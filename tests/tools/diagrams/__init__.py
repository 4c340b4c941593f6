"""The diagrams of the guide, drawn as SVG.

    python -m tests.tools.diagrams [NAME ...]

writes turnchat/guide/pictures/NAME.svg, all of them without a name. A module of this package draws
those of one chapter, and lists them:

    PICTURES = {"the-stream": the_stream}    # a function, called without arguments: a Drawing

theme.py has the colours, for light and dark, and the widths of texts; drawing.py the boxes, cells,
arrows and texts; shapes.py what is made of them: lifelines, tables, timelines. A text that does not
fit its box, or that meets another text or a line, is an error (Misfit): nothing is drawn then.
"""
