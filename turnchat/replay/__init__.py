"""A recording presented: a page, text, findings, a file for Perfetto."""
