"""Grade other people's programs: a server or an interactive client, in any language."""
