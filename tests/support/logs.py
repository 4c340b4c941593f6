"""A logger whose messages a test can look at."""

import logging


class CollectedLog(logging.Handler):
    """Keeps messages in order: from INFO up in `lines`, the others in `debug_lines`.

    records: all of them, for a test that asks for their levels.
    """

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the record. A message that cannot be formatted fails the test."""
        record.getMessage()
        self.records.append(record)

    @property
    def lines(self) -> list[str]:
        return [one.getMessage() for one in self.records if one.levelno >= logging.INFO]

    @property
    def debug_lines(self) -> list[str]:
        return [one.getMessage() for one in self.records if one.levelno < logging.INFO]


def collected_log(name: str = "test") -> tuple[logging.Logger, CollectedLog]:
    """A logger that no other test knows, and what it has been told."""
    logger = logging.Logger(name, logging.DEBUG)  # not in the tree of getLogger()
    logger.propagate = False
    handler = CollectedLog()
    logger.addHandler(handler)
    return logger, handler
