"""The cases, a file for each group. The order of the groups is that of case.GROUPS."""
