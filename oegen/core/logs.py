"""The format of the application's log."""

import logging
from copy import copy


class LineFormatter(logging.Formatter):
    """A formatter that leaves out the tracebacks of responses with a status below 500."""

    def format(self, record: logging.LogRecord) -> str:
        if getattr(record, "status_code", 500) < 500:
            record = copy(record)
            record.exc_info = record.exc_text = None
        return super().format(record)
