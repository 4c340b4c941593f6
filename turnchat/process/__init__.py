"""Signals, standard streams and child processes in the event loop."""
