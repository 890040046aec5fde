import datetime
import uuid

import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.text
import django.db.models.lookups
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("oegen", "0032_change_sets_name_tokens"),
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
                ],
                max_length=20,
            ),
        ),
        migrations.CreateModel(
            name="ApiToken",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("name", models.CharField(max_length=80)),
                ("key", models.CharField(editable=False, max_length=12, unique=True)),
                ("digest", models.CharField(editable=False, max_length=64)),
                ("pepper_version", models.PositiveSmallIntegerField(editable=False)),
                ("scopes", models.CharField(max_length=100)),
                ("networks", models.CharField(blank=True, max_length=1000)),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
                ("expires_at", models.DateTimeField(verbose_name="expires")),
                (
                    "revoked_at",
                    models.DateTimeField(
                        blank=True, editable=False, null=True, verbose_name="revoked"
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="api_tokens",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "access token",
                "ordering": ["-created_at"],
                "default_permissions": ("add", "change", "view"),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            django.db.models.lookups.Exact(
                                django.db.models.functions.text.Trim("name"), models.Value("")
                            ),
                            _negated=True,
                        ),
                        name="apitoken_name_present",
                        violation_error_message="Give it a name.",
                    ),
                    models.UniqueConstraint(
                        models.F("person"),
                        django.db.models.functions.text.Lower("name"),
                        condition=models.Q(("revoked_at", None)),
                        name="apitoken_name_unique",
                        violation_error_message="You have a token of this name already. Choose another name, or revoke that one.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("scopes", ""), _negated=True),
                        name="apitoken_scopes_present",
                        violation_error_message="Choose what the token may be used for.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("expires_at__gt", models.F("created_at")),
                            (
                                "expires_at__lte",
                                django.db.models.expressions.CombinedExpression(
                                    models.F("created_at"),
                                    "+",
                                    models.Value(datetime.timedelta(days=365)),
                                ),
                            ),
                        ),
                        name="apitoken_expires_within_a_year",
                        violation_error_message="Choose a day from tomorrow on, at most a year ahead.",
                    ),
                ],
            },
        ),
    ]
