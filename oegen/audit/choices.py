"""The vocabulary of the audit trail. Every code is covered by seals: none is renamed or dropped."""

from django.db import models

#: Rows written or read together.
BATCH_SIZE = 500

CREATED, CHANGED, REMOVED = "+", "~", "-"

#: The version of a record on a past page that was entered later and is there only because others
#: refer to it (oegen.asof).
NOT_YET_ENTERED = 2**31 - 1


class Source(models.TextChoices):
    """The path by which a change came in."""

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
