from django.db import models


class AttemptCount(models.Model):
    """The number of wrong passwords from one client or for one account, for a day at most.

    ``key`` is a keyed digest, so that input of a sign-in form can't be read here. An attempt is
    counted before the password is checked, and taken back if it was correct.
    """

    key = models.CharField(max_length=64, primary_key=True)
    failures = models.PositiveIntegerField(default=0)
    counted_at = models.DateTimeField(db_index=True)
    retry_at = models.DateTimeField(help_text="No further attempt is looked at before.")

    unaudited = "Counts that are forgotten within a day."

    def __str__(self):
        return f"{self.failures} failures, next attempt from {self.retry_at}"
