"""The jobs that write the digests."""

from django.utils import timezone

from dashboard.digest import PERIODS, Period, reason_for_none, write_digest
from oegen import jobs
from oegen.core.words import count


def _write(period: Period) -> str:
    number = write_digest(period, timezone.localdate())
    if number is None:
        return "Nothing happened, so nothing is sent."
    if not number:
        return f"No new digest: {reason_for_none(period)}."
    return f"{count(number, 'digest')} written."


@jobs.job_kind(
    "digest-day",
    "Daily digest",
    max_attempts=5,
    is_schedulable=True,
)
def write_daily_digest(context: jobs.Run) -> str:
    """Write the digest of yesterday to the outbox, unless it was; sending is another job."""
    return _write(PERIODS["day"])


@jobs.job_kind(
    "digest-week",
    "Weekly digest",
    max_attempts=5,
    is_schedulable=True,
)
def write_weekly_digest(context: jobs.Run) -> str:
    """Write the digest of the seven days up to yesterday to the outbox, unless it was."""
    return _write(PERIODS["week"])
