"""The benchmark: turnchat side by side with others who serve the same wire."""
