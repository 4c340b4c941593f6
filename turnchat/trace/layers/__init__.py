"""Bytes below a conversation: TLS records, and a PROXY header in front of all."""
