"""A person's keyboard and screen."""
