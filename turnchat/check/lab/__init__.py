"""A hundred hand-ins by one command: find, run, mark."""
