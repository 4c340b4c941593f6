"""Addresses to ready sockets."""
