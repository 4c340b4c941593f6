"""The checker's sockets, and what the kernel tells of those of a program."""
