from django.db import models


class Heartbeat(models.Model):
    """One row that /healthz writes, to see that the database takes it."""

    written_at = models.DateTimeField()

    unaudited = "It tells nothing but that it could be written."

    def __str__(self):
        return str(self.written_at)
