"""The hand-ins of a class: found, paired, and copied to be run."""
