"""The programs: arguments in, the parts wired together, an exit status out."""
