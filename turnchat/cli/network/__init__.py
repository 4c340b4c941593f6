"""The way between two peers, a module for each feature: its options, and what they open."""
