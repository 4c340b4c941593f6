"""A hand-in before it is graded: its grammar, the comment at its top, the words of a linter."""
