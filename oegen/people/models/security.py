import uuid

from django.db import models
from django.utils import timezone


class SecurityEventQuerySet(models.QuerySet):
    def newest_of_runs(self):
        """Only the newest entry of each run of failures, which has the total count."""
        later = self.model.objects.filter(
            run=models.OuterRef("run"), number__gt=models.OuterRef("number")
        )
        return self.filter(~models.Exists(later))


class SecurityEvent(models.Model):
    """A security event, in a separate hash chain.

    It is not part of the audit trail's chain, because a sign-in must not wait for writers and is
    not a change of a record. A run of failures is one event that is sealed in steps: of the
    entries with the same ``run``, the one with the highest ``count`` is complete.
    """

    class Kind(models.TextChoices):
        SIGN_IN = "sign-in", "Signed in"
        FAILURE = "failure", "Wrong password"
        DELAY = "delay", "Made to wait"
        SIGN_OUT = "sign-out", "Signed out"
        PASSWORD_CHANGE = "password", "Password changed"
        EXPORT = "export", "Downloaded"
        TOKEN_MADE = "token-made", "Access token made"
        TOKEN_REVOKED = "token-revoked", "Access token revoked"
        TOKEN_REFUSED = "token-refused", "Access token refused"
        TOKEN_UNKNOWN = "token-unknown", "Unknown access token"
        WEBHOOK = "webhook", "Webhook added or changed"
        REPORTING = "reporting", "Reading of reporting views granted or taken away"

    number = models.PositiveBigIntegerField(
        unique=True, help_text="Its place in the chain, from 1."
    )
    kind = models.CharField(max_length=20, choices=Kind)
    #: Not a foreign key: an account that never changed anything can be removed.
    account_id = models.BigIntegerField(
        null=True, help_text="The account; empty for a username that nobody has."
    )
    username = models.CharField(
        max_length=150, blank=True, help_text="The account's, as it was; never what was mistyped."
    )
    username_digest = models.CharField(
        max_length=64, blank=True, help_text="Keyed digest of the username that was typed."
    )
    first_at = models.DateTimeField()
    last_at = models.DateTimeField(db_index=True)
    count = models.PositiveIntegerField(default=1)
    run = models.UUIDField(null=True, db_index=True)
    details = models.JSONField(default=dict)
    sealed_at = models.DateTimeField(default=timezone.now)
    seal = models.CharField(max_length=64)

    objects = SecurityEventQuerySet.as_manager()

    unaudited = "It is history itself, in a chain of its own."
    is_append_only = True

    class Meta:
        ordering = ["-number"]

    def __str__(self):
        who = self.username or "an unknown username"
        times = f", {self.count:,} times" if self.count > 1 else ""
        return f"{self.get_kind_display()}: {who}{times}"


class SecurityAddress(models.Model):
    """The client address of an event. Seals don't cover it, because it is deleted after a while."""

    event = models.OneToOneField(
        SecurityEvent, primary_key=True, on_delete=models.CASCADE, related_name="origin"
    )
    address = models.CharField(max_length=45)
    expires_at = models.DateTimeField(db_index=True)

    unaudited = "It expires."

    def __str__(self):
        return self.address


class FailureRun(models.Model):
    """Failures of one kind for one username from one address, counted until they pause."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    kind = models.CharField(max_length=20, choices=SecurityEvent.Kind)
    account_id = models.BigIntegerField(null=True)
    username = models.CharField(max_length=150, blank=True)
    username_digest = models.CharField(max_length=64)
    address = models.CharField(max_length=45, blank=True)
    first_at = models.DateTimeField()
    last_at = models.DateTimeField(db_index=True)
    count = models.PositiveIntegerField(default=0)
    sealed_count = models.PositiveIntegerField(default=0)

    unaudited = "It counts what SecurityEvent seals."

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "username_digest", "address"], name="failure_run_unique"
            )
        ]

    def __str__(self):
        return f"{self.get_kind_display()}, {self.count:,} times"
