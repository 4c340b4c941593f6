"""Newcomers of a server: the bounds they are held against, their slots, and their pace."""
