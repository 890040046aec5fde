"""How the program's log is written."""

import logging
from copy import copy


class LineFormatter(logging.Formatter):
    """What the site refuses on purpose, such as an address that somebody may not open, is a line;
    only a failure of its own, a 500, brings the traceback that Django adds to both."""

    def format(self, record: logging.LogRecord) -> str:
        if getattr(record, "status_code", 500) < 500:
            record = copy(record)
            record.exc_info = record.exc_text = None
        return super().format(record)
