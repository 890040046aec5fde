import uuid

import django.db.models.deletion
import django.db.models.functions.text
import django.db.models.lookups
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("oegen", "0034_answered_requests"),
    ]

    operations = [
        migrations.AlterField(
            model_name="failurerun",
            name="kind",
            field=models.CharField(
                choices=[
                    ("sign-in", "Signed in"),
                    ("failure", "Wrong password"),
                    ("delay", "Made to wait"),
                    ("sign-out", "Signed out"),
                    ("password", "Password changed"),
                    ("export", "Downloaded"),
                    ("token-made", "Access token made"),
                    ("token-revoked", "Access token revoked"),
                    ("token-refused", "Access token refused"),
                    ("token-unknown", "Unknown access token"),
                    ("webhook", "Webhook added or changed"),
                ],
                max_length=20,
            ),
        ),
        migrations.AlterField(
            model_name="securityevent",
            name="kind",
            field=models.CharField(
                choices=[
                    ("sign-in", "Signed in"),
                    ("failure", "Wrong password"),
                    ("delay", "Made to wait"),
                    ("sign-out", "Signed out"),
                    ("password", "Password changed"),
                    ("export", "Downloaded"),
                    ("token-made", "Access token made"),
                    ("token-revoked", "Access token revoked"),
                    ("token-refused", "Access token refused"),
                    ("token-unknown", "Unknown access token"),
                    ("webhook", "Webhook added or changed"),
                ],
                max_length=20,
            ),
        ),
        migrations.CreateModel(
            name="Webhook",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("name", models.CharField(max_length=80)),
                ("url", models.CharField(max_length=500, verbose_name="address")),
                ("events", models.CharField(max_length=1000)),
                ("secret", models.TextField(editable=False)),
                (
                    "secret_made_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
                ("previous_secret", models.TextField(blank=True, editable=False)),
                ("previous_until", models.DateTimeField(blank=True, editable=False, null=True)),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
                ("failing_since", models.DateTimeField(blank=True, editable=False, null=True)),
                (
                    "switched_off_at",
                    models.DateTimeField(
                        blank=True, editable=False, null=True, verbose_name="switched off"
                    ),
                ),
                ("switched_off_why", models.TextField(blank=True, editable=False)),
                (
                    "owner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="webhooks",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["name", "created_at"],
                "default_permissions": ("add", "change", "view"),
            },
        ),
        migrations.CreateModel(
            name="WebhookDelivery",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "type",
                    models.CharField(
                        choices=[
                            ("portfolio.changed", "Changes"),
                            ("portfolio.alerted", "Alerts"),
                            ("webhook.test", "Test"),
                        ],
                        max_length=40,
                    ),
                ),
                ("payload", models.JSONField(default=dict)),
                ("moments", models.JSONField(default=list)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("queued_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("first_tried_at", models.DateTimeField(blank=True, null=True)),
                ("attempts", models.PositiveIntegerField(default=0)),
                (
                    "next_attempt_at",
                    models.DateTimeField(
                        default=django.utils.timezone.now, verbose_name="next try"
                    ),
                ),
                ("response_status", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("last_error", models.TextField(blank=True)),
                ("sent_at", models.DateTimeField(blank=True, null=True, verbose_name="sent")),
                ("parked_at", models.DateTimeField(blank=True, null=True, verbose_name="parked")),
                (
                    "change_set",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="oegen.changeset",
                    ),
                ),
                (
                    "webhook",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="deliveries",
                        to="oegen.webhook",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "webhook deliveries",
                "ordering": ["-created_at", "-pk"],
                "default_permissions": (),
            },
        ),
        migrations.AddConstraint(
            model_name="webhook",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    django.db.models.lookups.Exact(
                        django.db.models.functions.text.Trim("name"), models.Value("")
                    ),
                    _negated=True,
                ),
                name="webhook_name_present",
                violation_error_message="Give it a name.",
            ),
        ),
        migrations.AddConstraint(
            model_name="webhook",
            constraint=models.UniqueConstraint(
                models.F("owner"),
                django.db.models.functions.text.Lower("name"),
                name="webhook_name_unique",
                violation_error_message="You have a webhook of this name already. Choose another name.",
            ),
        ),
        migrations.AddConstraint(
            model_name="webhook",
            constraint=models.CheckConstraint(
                condition=models.Q(("url__startswith", "https://")),
                name="webhook_url_is_https",
                violation_error_message="Enter an address that begins with https://.",
            ),
        ),
        migrations.AddConstraint(
            model_name="webhook",
            constraint=models.CheckConstraint(
                condition=models.Q(("events", ""), _negated=True),
                name="webhook_events_present",
                violation_error_message="Choose what it is told of.",
            ),
        ),
        migrations.AddConstraint(
            model_name="webhook",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("previous_secret", ""), ("previous_until", None)),
                    models.Q(
                        models.Q(("previous_secret", ""), _negated=True),
                        ("previous_until__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="webhook_previous_secret_ends",
            ),
        ),
        migrations.AddConstraint(
            model_name="webhook",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("switched_off_at", None), ("switched_off_why", "")),
                    models.Q(
                        ("switched_off_at__isnull", False),
                        models.Q(("switched_off_why", ""), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="webhook_switched_off_why",
            ),
        ),
        migrations.AddIndex(
            model_name="webhookdelivery",
            index=models.Index(
                condition=models.Q(("parked_at", None), ("sent_at", None)),
                fields=["webhook"],
                name="webhookdelivery_waiting",
            ),
        ),
        migrations.AddIndex(
            model_name="webhookdelivery",
            index=models.Index(fields=["webhook", "-created_at"], name="webhookdelivery_newest"),
        ),
        migrations.AddConstraint(
            model_name="webhookdelivery",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("type__in", ["portfolio.changed", "portfolio.alerted", "webhook.test"])
                ),
                name="webhookdelivery_type_known",
                violation_error_message="type is not one of: Changes, Alerts, Test.",
            ),
        ),
        migrations.AddConstraint(
            model_name="webhookdelivery",
            constraint=models.UniqueConstraint(
                models.F("webhook"),
                models.F("change_set"),
                name="webhookdelivery_once_for_change_set",
            ),
        ),
        migrations.AddConstraint(
            model_name="webhookdelivery",
            constraint=models.CheckConstraint(
                condition=models.Q(("sent_at", None), ("parked_at", None), _connector="OR"),
                name="webhookdelivery_sent_or_parked",
            ),
        ),
    ]
