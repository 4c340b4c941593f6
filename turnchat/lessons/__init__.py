"""The road from blocking to non-blocking sockets: small programs, each on its own."""
