"""The job that sends to a webhook, and what is tidied up. Imported in ``AppConfig.ready``."""

from datetime import timedelta
from uuid import UUID

from django.utils import timezone

from oegen import jobs
from oegen.api.webhooks import sending
from oegen.api.webhooks.models import Webhook, WebhookDelivery
from oegen.jobs.models import Job
from oegen.jobs.tidying import tidies

#: How long messages stay listed.
KEPT_FOR = timedelta(days=30)


@jobs.job_kind(
    sending.SEND_WEBHOOK,
    "Send to a webhook",
    queue=jobs.OUTBOUND,
    max_attempts=20,
    merges=True,
    kept_for=timedelta(days=1),
)
def send_webhook(context: jobs.Run, webhook: str) -> str:
    """Send the messages that are due; what failed is due again when its pause is over."""
    tally = sending.deliver(UUID(webhook), is_stopped=context.is_stopping)
    if found := Webhook.objects.filter(pk=webhook).first():
        sending.enqueue_next(found)
    return tally.in_words("message")


@tidies
def tidy_webhooks() -> None:
    """Forget old messages and secrets, and ask for jobs that are missing because one failed."""
    now = timezone.now()
    WebhookDelivery.objects.filter(queued_at__lt=now - KEPT_FOR).delete()
    Webhook.objects.filter(previous_until__lte=now).update(previous_secret="", previous_until=None)
    # Written while the webhook was being switched off.
    of_inactive = WebhookDelivery.objects.waiting().exclude(webhook__switched_off_at=None)
    sending.park(of_inactive, now)
    waiting = WebhookDelivery.objects.waiting().filter(next_attempt_at__lte=now)
    for webhook in Webhook.objects.active().filter(pk__in=waiting.values("webhook")):
        if not Job.objects.unfinished().filter(key=sending.job_key(webhook)).exists():
            sending.enqueue_sending(webhook)
