"""The command lab: all hand-ins of a class. check/lab has the work; here is its command line."""
