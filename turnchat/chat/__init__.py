"""The two roles: the server and the client, what they log and what they report."""
