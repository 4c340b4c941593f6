"""The benchmark: turnchat side by side with other servers on the same wire."""
