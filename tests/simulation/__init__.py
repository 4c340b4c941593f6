"""A deterministic simulation: the real loop and both real roles in a world made of one seed."""
