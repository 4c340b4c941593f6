"""The hand-ins of a class: found, paired, inspected, and copied to be run."""
