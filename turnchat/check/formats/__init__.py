"""A report in the formats that people and programs read. Each is made of report.py alone."""
