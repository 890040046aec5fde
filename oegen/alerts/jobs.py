"""The jobs of alerts, anchors and the check of the history."""

from datetime import timedelta

from django.utils import timezone

from oegen import jobs
from oegen.alerts import anchors, delivery, outbox
from oegen.alerts.checking import check_history
from oegen.alerts.models import Alert
from oegen.core.words import count
from oegen.jobs.models import Job

#: How long jobs stay listed that run many times a day.
FREQUENT_KEPT_FOR = timedelta(days=1)


@jobs.job_kind(
    delivery.SEND_ALERTS,
    "Send alerts",
    max_attempts=20,
    is_schedulable=True,
    kept_for=FREQUENT_KEPT_FOR,
)
def send_alerts(context: jobs.Run) -> str:
    """Send the alerts that are due; what failed is due again when its pause is over."""
    tally = delivery.deliver(senders=delivery.senders(), is_stopped=context.is_stopping)
    _enqueue_next()
    return tally.in_words("alert")


def _enqueue_next() -> None:
    """Ask for a run when the next waiting alert is due, unless there is one by then."""
    waiting = Alert.objects.waiting().filter(channel__in=list(delivery.senders()))
    moment = waiting.order_by("next_attempt_at").values_list("next_attempt_at", flat=True).first()
    if moment is None:
        return
    asked = Job.objects.waiting().filter(kind=delivery.SEND_ALERTS, run_after__lte=moment)
    if not asked.exists():
        jobs.enqueue(delivery.SEND_ALERTS, run_after=max(moment, timezone.now()))


@jobs.job_kind(
    "alerts-of-the-day",
    "Alerts of the day",
    max_attempts=10,
    is_schedulable=True,
)
def write_alerts_of_the_day(context: jobs.Run) -> str:
    """Write the alerts that a new day brings: dates that passed, what began to need attention."""
    number = outbox.write_timed_alerts(timezone.localdate())
    return f"{count(number, 'alert')} written."


@jobs.job_kind(
    "anchor",
    "Anchor of the history",
    max_attempts=5,
    is_schedulable=True,
)
def write_anchor(context: jobs.Run) -> str:
    """Write the anchor of this hour, unless there is one."""
    try:
        anchor = anchors.write_if_due()
    except anchors.AnchorError as error:
        raise jobs.TryAgainError(str(error)) from error
    if anchor is None:
        return "The anchor of this hour was made before."
    return f"Change set {anchor.change_set:,} is anchored. {anchor.problem}".strip()


@jobs.job_kind(
    "check-history",
    "Check of the history",
    queue=jobs.LONG,
    max_attempts=2,
    is_schedulable=True,
)
def check_the_history(context: jobs.Run) -> str:
    """What ``audit_check`` does. The job has failed if there are findings that nobody
    acknowledged."""
    checked = check_history()
    checked.store()
    if checked.open_findings:
        raise jobs.JobFailedError(f"{checked.summary} `manage.py audit_check` lists them.")
    return checked.summary
