"""The road from blocking to non-blocking: small programs, each of which stands alone."""
