"""The format of the application's log."""

import logging
from copy import copy


class LineFormatter(logging.Formatter):
    """Leave out the traceback of requests that were refused on purpose (status below 500)."""

    def format(self, record: logging.LogRecord) -> str:
        if getattr(record, "status_code", 500) < 500:
            record = copy(record)
            record.exc_info = record.exc_text = None
        return super().format(record)
