"""Constants of the audit trail. Seals cover every code: never rename or remove one."""

from django.db import models

#: The number of rows written or read at a time.
BATCH_SIZE = 500

CREATED, CHANGED, REMOVED = "+", "~", "-"

#: The version of a record on a past page that was created later and is included only because
#: others refer to it (oegen.asof).
NOT_YET_ENTERED = 2**31 - 1


class Source(models.TextChoices):
    """The way in which a change was made."""

    API = "api", "API"
    BOARD = "board", "board"
    CODE = "code", "program code"
    COMMAND = "command", "command"
    FORM = "form", "form"
    IMPORT = "import", "import"
    MERGE = "merge", "merging"
    MIGRATION = "migration", "set-up"
    PAGE = "page", "page"
    RESTORE = "restore", "restoring"
    SAMPLE = "sample", "sample data"
    TABLE = "table", "editable table"
    UNDO = "undo", "undoing"
