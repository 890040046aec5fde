import uuid

import django.contrib.auth.validators
import django.core.validators
import django.db.models.deletion
import django.db.models.functions.text
import django.db.models.lookups
import django.utils.timezone
import simple_history.models
from django.conf import settings
from django.contrib.postgres.operations import TrigramExtension
from django.db import migrations, models

import oegen.audit.seals
import oegen.core.fields
import oegen.core.pointers


def add_trigram_indexes(apps, schema_editor):
    """Find any part of a word by index; SQLite reads its few thousand rows through instead."""
    if schema_editor.connection.vendor == "postgresql":
        for column in ("title", "body"):
            schema_editor.execute(
                f"CREATE INDEX searchdocument_{column}_trigrams ON oegen_searchdocument "
                f"USING gin ({column} gin_trgm_ops)"
            )


def compare_by_code_point(apps, schema_editor):
    """As SQLite does by itself, whatever the language of the database is."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute('ALTER TABLE oegen_sortkey ALTER COLUMN key TYPE text COLLATE "C"')


class Migration(migrations.Migration):
    replaces = [
        ("oegen", "0001_initial"),
        ("oegen", "0002_lists_and_search"),
        ("oegen", "0010_alerts"),
        ("oegen", "0011_alert_rules"),
        ("oegen", "0012_attempt_counts"),
        ("oegen", "0013_without_axes"),
        ("oegen", "0014_record_keys"),
        ("oegen", "0015_notices"),
        ("oegen", "0016_change_set_details"),
        ("oegen", "0017_heartbeat"),
        ("oegen", "0018_security_events"),
        ("oegen", "0019_access_records"),
        ("oegen", "0020_first_access_records"),
        ("oegen", "0021_integrity"),
        ("oegen", "0022_sort_keys"),
        ("oegen", "0023_views_of_all"),
        ("oegen", "0024_phone_numbers_by_their_digits"),
        ("oegen", "0025_account_words"),
        ("oegen", "0026_rules_point_upwards"),
    ]

    initial = True

    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [
        TrigramExtension(),
        migrations.CreateModel(
            name="User",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("password", models.CharField(max_length=128, verbose_name="password")),
                (
                    "last_login",
                    models.DateTimeField(blank=True, null=True, verbose_name="last login"),
                ),
                (
                    "is_superuser",
                    models.BooleanField(
                        default=False,
                        help_text="Designates that this user has all permissions without explicitly assigning them.",
                        verbose_name="superuser status",
                    ),
                ),
                (
                    "username",
                    models.CharField(
                        error_messages={"unique": "A user with that username already exists."},
                        help_text="Required. 150 characters or fewer. Letters, digits and @/./+/-/_ only.",
                        max_length=150,
                        unique=True,
                        validators=[django.contrib.auth.validators.UnicodeUsernameValidator()],
                        verbose_name="username",
                    ),
                ),
                (
                    "first_name",
                    models.CharField(blank=True, max_length=150, verbose_name="first name"),
                ),
                (
                    "last_name",
                    models.CharField(blank=True, max_length=150, verbose_name="last name"),
                ),
                ("email", models.EmailField(blank=True, max_length=254, verbose_name="e-mail")),
                (
                    "is_staff",
                    models.BooleanField(
                        default=False,
                        help_text="Designates whether the user can log into this admin site.",
                        verbose_name="staff status",
                    ),
                ),
                (
                    "is_active",
                    models.BooleanField(
                        default=True,
                        help_text="Whether this person can sign in. Untick this instead of removing an account.",
                        verbose_name="active",
                    ),
                ),
                (
                    "date_joined",
                    models.DateTimeField(
                        default=django.utils.timezone.now, verbose_name="date joined"
                    ),
                ),
                (
                    "groups",
                    models.ManyToManyField(
                        blank=True,
                        help_text="The groups this user belongs to. A user will get all permissions granted to each of their groups.",
                        related_name="user_set",
                        related_query_name="user",
                        to="auth.group",
                        verbose_name="groups",
                    ),
                ),
                (
                    "user_permissions",
                    models.ManyToManyField(
                        blank=True,
                        help_text="Specific permissions for this user.",
                        related_name="user_set",
                        related_query_name="user",
                        to="auth.permission",
                        verbose_name="user permissions",
                    ),
                ),
            ],
            options={
                "verbose_name": "user",
                "verbose_name_plural": "users",
                "ordering": ["username"],
                "permissions": [("enter_admin", "Can enter the admin")],
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="ChangeSet",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("reason", models.TextField(blank=True)),
                (
                    "source",
                    models.CharField(
                        choices=[
                            ("board", "board"),
                            ("code", "program code"),
                            ("command", "command"),
                            ("form", "form"),
                            ("import", "import"),
                            ("merge", "merging"),
                            ("migration", "set-up"),
                            ("page", "page"),
                            ("restore", "restoring"),
                            ("sample", "sample data"),
                            ("table", "editable table"),
                            ("undo", "undoing"),
                        ],
                        max_length=20,
                    ),
                ),
                (
                    "recorded_at",
                    models.DateTimeField(db_index=True, default=django.utils.timezone.now),
                ),
                (
                    "number",
                    models.PositiveBigIntegerField(
                        editable=False,
                        help_text="Its place in the chain of seals, from 1.",
                        unique=True,
                    ),
                ),
                (
                    "sealed_at",
                    models.DateTimeField(
                        editable=False,
                        help_text="When it was numbered, at the end of its transaction.",
                    ),
                ),
                (
                    "contents",
                    models.JSONField(
                        editable=False,
                        help_text="By history table: the number of its rows and the hash of their digests.",
                    ),
                ),
                ("seal", models.CharField(editable=False, max_length=64)),
                (
                    "undoes",
                    models.ForeignKey(
                        editable=False,
                        help_text="The change set that this one took back.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="undone_by",
                        to="oegen.changeset",
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        help_text="Empty when program code ran without a signed-in person.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="change_sets",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "details",
                    models.JSONField(
                        editable=False,
                        help_text="What else it says: “asked”, the questions that were answered with “save anyway”; “merged”, the records that were merged, by the one that took them in.",
                        null=True,
                    ),
                ),
                (
                    "person_name",
                    models.CharField(
                        blank=True,
                        editable=False,
                        help_text="The person's, as it was then.",
                        max_length=301,
                    ),
                ),
                (
                    "person_username",
                    models.CharField(
                        blank=True,
                        editable=False,
                        help_text="The person's, as it was then.",
                        max_length=150,
                    ),
                ),
                (
                    "seal_format",
                    models.PositiveSmallIntegerField(
                        editable=False,
                        help_text="What the seal covers; empty is 1, see oegen.audit.seals.",
                        null=True,
                    ),
                ),
            ],
            options={
                "ordering": ["-recorded_at"],
            },
        ),
        migrations.CreateModel(
            name="Comment",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
                (
                    "modified_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
                ("version", models.PositiveIntegerField(default=1, editable=False)),
                ("object_id", models.UUIDField(editable=False)),
                ("text", models.TextField(verbose_name="comment")),
                (
                    "author",
                    models.ForeignKey(
                        blank=True,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="comments",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "content_type",
                    models.ForeignKey(
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="contenttypes.contenttype",
                    ),
                ),
            ],
            options={
                "ordering": ["-created_at"],
                "indexes": [
                    models.Index(
                        fields=["content_type", "object_id"], name="oegen_comme_content_dbd260_idx"
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            django.db.models.lookups.Exact(
                                django.db.models.functions.text.Trim("text"), models.Value("")
                            ),
                            _negated=True,
                        ),
                        name="comment_text_present",
                        violation_error_message="Give it a name.",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="HistoricalComment",
            fields=[
                ("id", models.UUIDField(db_index=True, default=uuid.uuid4, editable=False)),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
                (
                    "modified_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
                ("version", models.PositiveIntegerField(default=1, editable=False)),
                ("object_id", models.UUIDField(editable=False)),
                ("text", models.TextField(verbose_name="comment")),
                (
                    "history_id",
                    models.BigAutoField(editable=False, primary_key=True, serialize=False),
                ),
                ("history_date", models.DateTimeField()),
                ("history_change_reason", models.TextField(null=True)),
                (
                    "history_type",
                    models.CharField(
                        choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1
                    ),
                ),
                (
                    "author",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("digest", oegen.audit.seals.DigestField(editable=False, max_length=64)),
                (
                    "change_set",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="oegen.changeset",
                    ),
                ),
                (
                    "content_type",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="contenttypes.contenttype",
                    ),
                ),
                (
                    "history_user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "historical comment",
                "verbose_name_plural": "historical comments",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
                "indexes": [
                    models.Index(
                        fields=["history_date", "id"], name="oegen_histo_history_b5e0c5_idx"
                    )
                ],
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="ListPreference",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("list_name", models.CharField(max_length=40)),
                (
                    "columns",
                    models.JSONField(
                        default=list, help_text="Column names; empty: the list's own."
                    ),
                ),
                ("page_size", models.PositiveSmallIntegerField(null=True)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="list_preferences",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("user", "list_name"), name="listpreference_unique"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="SavedView",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("list_name", models.CharField(max_length=40)),
                ("name", models.CharField(max_length=80)),
                ("query", models.TextField(blank=True)),
                (
                    "is_shared",
                    models.BooleanField(default=False, verbose_name="shared with everybody"),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "owner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="saved_views",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["name"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            django.db.models.lookups.Exact(
                                django.db.models.functions.text.Trim("name"), models.Value("")
                            ),
                            _negated=True,
                        ),
                        name="savedview_name_present",
                        violation_error_message="Give it a name.",
                    ),
                    models.UniqueConstraint(
                        models.F("owner"),
                        models.F("list_name"),
                        django.db.models.functions.text.Lower("name"),
                        name="savedview_unique",
                        violation_error_message="You have a view of this name already.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="SearchDocument",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("object_id", models.UUIDField()),
                ("title", models.TextField()),
                ("body", models.TextField()),
                (
                    "content_type",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, to="contenttypes.contenttype"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("content_type", "object_id"), name="searchdocument_unique"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Alert",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("unique_key", models.CharField(editable=False, max_length=200, unique=True)),
                ("event", models.CharField(max_length=40)),
                (
                    "channel",
                    models.CharField(
                        choices=[("slack", "Slack"), ("email", "e-mail")], max_length=10
                    ),
                ),
                ("object_id", models.UUIDField(blank=True, null=True)),
                ("payload", models.JSONField()),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, verbose_name="written"),
                ),
                ("first_tried_at", models.DateTimeField(blank=True, null=True)),
                ("attempts", models.PositiveIntegerField(default=0)),
                (
                    "next_attempt_at",
                    models.DateTimeField(
                        default=django.utils.timezone.now, verbose_name="next try"
                    ),
                ),
                ("claimed_until", models.DateTimeField(blank=True, null=True)),
                (
                    "may_be_repeat",
                    models.BooleanField(
                        default=False,
                        help_text="An earlier try may have arrived: it ended without an answer.",
                        verbose_name="may be a repeat",
                    ),
                ),
                ("sent_at", models.DateTimeField(blank=True, null=True, verbose_name="sent")),
                ("parked_at", models.DateTimeField(blank=True, null=True, verbose_name="parked")),
                ("last_error", models.TextField(blank=True)),
                (
                    "change_set",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="alerts",
                        to="oegen.changeset",
                    ),
                ),
                (
                    "content_type",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        to="contenttypes.contenttype",
                    ),
                ),
                (
                    "recipient",
                    models.ForeignKey(
                        blank=True,
                        help_text="Of an e-mail.",
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="alerts",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["-pk"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("parked_at", None), ("sent_at", None)),
                        fields=["next_attempt_at"],
                        name="alert_waiting",
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("channel__in", ["slack", "email"])),
                        name="alert_channel_known",
                        violation_error_message="channel is not one of: Slack, e-mail.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("sent_at", None), ("parked_at", None), _connector="OR"),
                        name="alert_sent_or_parked",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("channel", "slack"), ("recipient", None)),
                            models.Q(("channel", "email"), ("recipient__isnull", False)),
                            _connector="OR",
                        ),
                        name="alert_recipient_of_email",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="AlertPreference",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("event", models.CharField(max_length=40)),
                ("is_wanted", models.BooleanField()),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="alert_preferences",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("user", "event"), name="alertpreference_unique")
                ],
            },
        ),
        migrations.CreateModel(
            name="AlertRule",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
                (
                    "modified_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
                ("version", models.PositiveIntegerField(default=1, editable=False)),
                (
                    "code",
                    models.SlugField(
                        help_text="Short name for imports and addresses: small letters, digits and hyphens.",
                        max_length=40,
                    ),
                ),
                ("name", models.CharField(max_length=80)),
                (
                    "order",
                    models.PositiveSmallIntegerField(
                        default=0, help_text="Place in lists, lowest first."
                    ),
                ),
                (
                    "is_active",
                    models.BooleanField(
                        default=True, help_text="Offered in forms.", verbose_name="active"
                    ),
                ),
                ("event", models.CharField(max_length=40)),
                (
                    "threshold",
                    models.DecimalField(
                        blank=True,
                        decimal_places=2,
                        help_text="RTB slip: more than so many days. Capacity: more than so many % up or down. Information point: a rating of so much or more. Other events have none.",
                        max_digits=9,
                        null=True,
                        validators=[
                            django.core.validators.MinValueValidator(
                                0, "Give 0  or more, not %(show_value)s."
                            )
                        ],
                    ),
                ),
                (
                    "channel",
                    models.CharField(
                        choices=[("slack", "Slack"), ("email", "e-mail")],
                        help_text="E-mail goes to the people who chose the event on their own page.",
                        max_length=10,
                    ),
                ),
                (
                    "country",
                    oegen.core.fields.CountryField(
                        blank=True,
                        help_text="Only records with a facility there. Empty: anywhere.",
                        max_length=2,
                    ),
                ),
                (
                    "counterparty",
                    oegen.core.pointers.PointerField(
                        blank=True,
                        db_index=True,
                        help_text="Only records tied to it, in whatever role. Empty: to any.",
                        null=True,
                    ),
                ),
                (
                    "technology",
                    oegen.core.pointers.PointerField(
                        blank=True,
                        db_index=True,
                        help_text="Only records of it, its kinds included. Empty: of any.",
                        null=True,
                    ),
                ),
            ],
            options={
                "verbose_name": "alert rule",
                "ordering": ["order", "name"],
                "abstract": False,
                "constraints": [
                    models.UniqueConstraint(
                        django.db.models.functions.text.Lower(
                            django.db.models.functions.text.Trim("name")
                        ),
                        name="alertrule_name_unique",
                        violation_error_message="There is already one of this name (case does not count).",
                    ),
                    models.UniqueConstraint(
                        django.db.models.functions.text.Lower(
                            django.db.models.functions.text.Trim("code")
                        ),
                        name="alertrule_code_unique",
                        violation_error_message="There is already one of this name (case does not count).",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("channel__in", ["slack", "email"])),
                        name="alertrule_channel_known",
                        violation_error_message="channel is not one of: Slack, e-mail.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("threshold__gte", 0)),
                        name="alertrule_threshold_range",
                        violation_error_message="threshold is out of range.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("country", ""),
                            models.Q(
                                django.db.models.lookups.Exact(
                                    django.db.models.functions.text.Length("country"), 2
                                ),
                                django.db.models.lookups.Exact(
                                    django.db.models.functions.text.Upper("country"),
                                    models.F("country"),
                                ),
                            ),
                            _connector="OR",
                        ),
                        name="alertrule_country_shape",
                        violation_error_message="Give the country's two-letter ISO code, such as GB.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="HistoricalAlertRule",
            fields=[
                ("digest", oegen.audit.seals.DigestField(editable=False, max_length=64)),
                ("id", models.UUIDField(db_index=True, default=uuid.uuid4, editable=False)),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
                (
                    "modified_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
                ("version", models.PositiveIntegerField(default=1, editable=False)),
                (
                    "code",
                    models.SlugField(
                        help_text="Short name for imports and addresses: small letters, digits and hyphens.",
                        max_length=40,
                    ),
                ),
                ("name", models.CharField(max_length=80)),
                (
                    "order",
                    models.PositiveSmallIntegerField(
                        default=0, help_text="Place in lists, lowest first."
                    ),
                ),
                (
                    "is_active",
                    models.BooleanField(
                        default=True, help_text="Offered in forms.", verbose_name="active"
                    ),
                ),
                ("event", models.CharField(max_length=40)),
                (
                    "threshold",
                    models.DecimalField(
                        blank=True,
                        decimal_places=2,
                        help_text="RTB slip: more than so many days. Capacity: more than so many % up or down. Information point: a rating of so much or more. Other events have none.",
                        max_digits=9,
                        null=True,
                        validators=[
                            django.core.validators.MinValueValidator(
                                0, "Give 0  or more, not %(show_value)s."
                            )
                        ],
                    ),
                ),
                (
                    "channel",
                    models.CharField(
                        choices=[("slack", "Slack"), ("email", "e-mail")],
                        help_text="E-mail goes to the people who chose the event on their own page.",
                        max_length=10,
                    ),
                ),
                (
                    "country",
                    oegen.core.fields.CountryField(
                        blank=True,
                        help_text="Only records with a facility there. Empty: anywhere.",
                        max_length=2,
                    ),
                ),
                (
                    "history_id",
                    models.BigAutoField(editable=False, primary_key=True, serialize=False),
                ),
                ("history_date", models.DateTimeField()),
                ("history_change_reason", models.TextField(null=True)),
                (
                    "history_type",
                    models.CharField(
                        choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1
                    ),
                ),
                (
                    "change_set",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="oegen.changeset",
                    ),
                ),
                (
                    "counterparty",
                    oegen.core.pointers.PointerField(
                        blank=True,
                        db_index=True,
                        help_text="Only records tied to it, in whatever role. Empty: to any.",
                        null=True,
                    ),
                ),
                (
                    "history_user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "technology",
                    oegen.core.pointers.PointerField(
                        blank=True,
                        db_index=True,
                        help_text="Only records of it, its kinds included. Empty: of any.",
                        null=True,
                    ),
                ),
            ],
            options={
                "verbose_name": "historical alert rule",
                "verbose_name_plural": "historical alert rules",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
                "indexes": [
                    models.Index(
                        fields=["history_date", "id"], name="oegen_histo_history_fec0cf_idx"
                    )
                ],
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="AttemptCount",
            fields=[
                ("key", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("failures", models.PositiveIntegerField(default=0)),
                ("counted_at", models.DateTimeField(db_index=True)),
                (
                    "retry_at",
                    models.DateTimeField(help_text="No further attempt is looked at before."),
                ),
            ],
        ),
        migrations.CreateModel(
            name="RecordKey",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("object_id", models.UUIDField()),
                ("kind", models.CharField(max_length=20)),
                ("key", models.TextField()),
                (
                    "likeness",
                    models.TextField(
                        help_text="The key without accents and punctuation; of names only."
                    ),
                ),
                ("number", models.PositiveIntegerField(null=True)),
                (
                    "content_type",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, to="contenttypes.contenttype"
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["content_type", "object_id"], name="recordkey_of_record"),
                    models.Index(fields=["content_type", "likeness"], name="recordkey_likeness"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("content_type", "kind", "key", "number"),
                        name="recordkey_unique",
                        violation_error_message="Somebody has just saved another record with this name or number. Look at the list, and choose that record or another name.",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Notice",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("unique_key", models.CharField(editable=False, max_length=200, unique=True)),
                ("event", models.CharField(max_length=40)),
                ("payload", models.JSONField()),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("read_at", models.DateTimeField(blank=True, null=True)),
                (
                    "change_set",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="notices",
                        to="oegen.changeset",
                    ),
                ),
                (
                    "recipient",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="notices",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["-pk"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("read_at", None)),
                        fields=["recipient"],
                        name="notice_unread",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Heartbeat",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("written_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="SecurityEvent",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "number",
                    models.PositiveBigIntegerField(
                        help_text="Its place in the chain, from 1.", unique=True
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("sign-in", "Signed in"),
                            ("failure", "Wrong password"),
                            ("delay", "Made to wait"),
                            ("sign-out", "Signed out"),
                            ("password", "Password changed"),
                            ("export", "Downloaded"),
                        ],
                        max_length=20,
                    ),
                ),
                (
                    "account_id",
                    models.BigIntegerField(
                        help_text="The account; empty for a username that nobody has.", null=True
                    ),
                ),
                (
                    "username",
                    models.CharField(
                        blank=True,
                        help_text="The account's, as it was; never what was mistyped.",
                        max_length=150,
                    ),
                ),
                (
                    "username_digest",
                    models.CharField(
                        blank=True,
                        help_text="Keyed digest of the username that was typed.",
                        max_length=64,
                    ),
                ),
                ("first_at", models.DateTimeField()),
                ("last_at", models.DateTimeField(db_index=True)),
                ("count", models.PositiveIntegerField(default=1)),
                ("run", models.UUIDField(db_index=True, null=True)),
                ("details", models.JSONField(default=dict)),
                ("sealed_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("seal", models.CharField(max_length=64)),
            ],
            options={
                "ordering": ["-number"],
            },
        ),
        migrations.CreateModel(
            name="FailureRun",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, primary_key=True, serialize=False)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("sign-in", "Signed in"),
                            ("failure", "Wrong password"),
                            ("delay", "Made to wait"),
                            ("sign-out", "Signed out"),
                            ("password", "Password changed"),
                            ("export", "Downloaded"),
                        ],
                        max_length=20,
                    ),
                ),
                ("account_id", models.BigIntegerField(null=True)),
                ("username", models.CharField(blank=True, max_length=150)),
                ("username_digest", models.CharField(max_length=64)),
                ("address", models.CharField(blank=True, max_length=45)),
                ("first_at", models.DateTimeField()),
                ("last_at", models.DateTimeField(db_index=True)),
                ("count", models.PositiveIntegerField(default=0)),
                ("sealed_count", models.PositiveIntegerField(default=0)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("kind", "username_digest", "address"), name="failure_run_unique"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="SecurityAddress",
            fields=[
                (
                    "event",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="origin",
                        serialize=False,
                        to="oegen.securityevent",
                    ),
                ),
                ("address", models.CharField(max_length=45)),
                ("expires_at", models.DateTimeField(db_index=True)),
            ],
        ),
        migrations.CreateModel(
            name="AccountRecord",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
                (
                    "modified_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
                ("version", models.PositiveIntegerField(default=1, editable=False)),
                (
                    "account_id",
                    models.BigIntegerField(
                        editable=False, unique=True, verbose_name="account number"
                    ),
                ),
                ("username", models.CharField(max_length=150)),
                ("first_name", models.CharField(blank=True, max_length=150)),
                ("last_name", models.CharField(blank=True, max_length=150)),
                (
                    "email",
                    models.CharField(blank=True, max_length=254, verbose_name="e-mail address"),
                ),
                ("is_active", models.BooleanField(verbose_name="active")),
                ("is_staff", models.BooleanField(verbose_name="staff")),
                ("is_superuser", models.BooleanField(verbose_name="superuser")),
                ("groups", models.TextField(blank=True, help_text="Their names, one a line.")),
                (
                    "permissions",
                    models.TextField(
                        blank=True, help_text="One a line.", verbose_name="own permissions"
                    ),
                ),
                ("password_set_at", models.DateTimeField(null=True, verbose_name="password set")),
                (
                    "password_stored_at",
                    models.DateTimeField(null=True, verbose_name="password stored"),
                ),
                ("password_mark", models.CharField(blank=True, max_length=64)),
            ],
            options={
                "verbose_name": "account",
                "ordering": ["username"],
            },
        ),
        migrations.CreateModel(
            name="GroupRecord",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
                (
                    "modified_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
                ("version", models.PositiveIntegerField(default=1, editable=False)),
                (
                    "group_id",
                    models.BigIntegerField(
                        editable=False, unique=True, verbose_name="group number"
                    ),
                ),
                ("name", models.CharField(max_length=150)),
                ("permissions", models.TextField(blank=True, help_text="One a line.")),
            ],
            options={
                "verbose_name": "group",
                "ordering": ["name"],
            },
        ),
        migrations.CreateModel(
            name="HistoricalAccountRecord",
            fields=[
                ("digest", oegen.audit.seals.DigestField(editable=False, max_length=64)),
                ("id", models.UUIDField(db_index=True, default=uuid.uuid4, editable=False)),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
                (
                    "modified_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
                ("version", models.PositiveIntegerField(default=1, editable=False)),
                (
                    "account_id",
                    models.BigIntegerField(
                        db_index=True, editable=False, verbose_name="account number"
                    ),
                ),
                ("username", models.CharField(max_length=150)),
                ("first_name", models.CharField(blank=True, max_length=150)),
                ("last_name", models.CharField(blank=True, max_length=150)),
                (
                    "email",
                    models.CharField(blank=True, max_length=254, verbose_name="e-mail address"),
                ),
                ("is_active", models.BooleanField(verbose_name="active")),
                ("is_staff", models.BooleanField(verbose_name="staff")),
                ("is_superuser", models.BooleanField(verbose_name="superuser")),
                ("groups", models.TextField(blank=True, help_text="Their names, one a line.")),
                (
                    "permissions",
                    models.TextField(
                        blank=True, help_text="One a line.", verbose_name="own permissions"
                    ),
                ),
                ("password_set_at", models.DateTimeField(null=True, verbose_name="password set")),
                (
                    "password_stored_at",
                    models.DateTimeField(null=True, verbose_name="password stored"),
                ),
                ("password_mark", models.CharField(blank=True, max_length=64)),
                (
                    "history_id",
                    models.BigAutoField(editable=False, primary_key=True, serialize=False),
                ),
                ("history_date", models.DateTimeField()),
                ("history_change_reason", models.TextField(null=True)),
                (
                    "history_type",
                    models.CharField(
                        choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1
                    ),
                ),
                (
                    "change_set",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="oegen.changeset",
                    ),
                ),
                (
                    "history_user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "historical account",
                "verbose_name_plural": "historical accounts",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
                "indexes": [
                    models.Index(
                        fields=["history_date", "id"], name="oegen_histo_history_fd5081_idx"
                    )
                ],
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="HistoricalGroupRecord",
            fields=[
                ("digest", oegen.audit.seals.DigestField(editable=False, max_length=64)),
                ("id", models.UUIDField(db_index=True, default=uuid.uuid4, editable=False)),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
                (
                    "modified_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
                ("version", models.PositiveIntegerField(default=1, editable=False)),
                (
                    "group_id",
                    models.BigIntegerField(
                        db_index=True, editable=False, verbose_name="group number"
                    ),
                ),
                ("name", models.CharField(max_length=150)),
                ("permissions", models.TextField(blank=True, help_text="One a line.")),
                (
                    "history_id",
                    models.BigAutoField(editable=False, primary_key=True, serialize=False),
                ),
                ("history_date", models.DateTimeField()),
                ("history_change_reason", models.TextField(null=True)),
                (
                    "history_type",
                    models.CharField(
                        choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1
                    ),
                ),
                (
                    "change_set",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="oegen.changeset",
                    ),
                ),
                (
                    "history_user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "historical group",
                "verbose_name_plural": "historical groups",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
                "indexes": [
                    models.Index(
                        fields=["history_date", "id"], name="oegen_histo_history_659f8d_idx"
                    )
                ],
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="IntegrityCheck",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "checked_at",
                    models.DateTimeField(db_index=True, default=django.utils.timezone.now),
                ),
                (
                    "open_count",
                    models.PositiveIntegerField(help_text="Findings that nobody has acknowledged."),
                ),
                ("acknowledged_count", models.PositiveIntegerField()),
                ("open_findings", models.JSONField(default=list)),
            ],
        ),
        migrations.CreateModel(
            name="KeptAnchor",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("hour", models.DateTimeField(unique=True)),
                ("claimed_at", models.DateTimeField()),
                ("made_at", models.DateTimeField(db_index=True, null=True)),
                ("change_set", models.PositiveBigIntegerField(null=True)),
                ("seal", models.CharField(blank=True, max_length=64)),
                ("file", models.TextField(blank=True)),
                (
                    "problem",
                    models.TextField(
                        blank=True, help_text="Where it could not be sent or written."
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Acknowledgement",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
                (
                    "modified_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
                ("version", models.PositiveIntegerField(default=1, editable=False)),
                ("fingerprint", models.CharField(editable=False, max_length=64)),
                ("finding", models.TextField(editable=False)),
                ("reason", models.TextField()),
            ],
            options={
                "verbose_name": "acknowledged finding",
                "ordering": ["-created_at"],
                "constraints": [
                    models.UniqueConstraint(
                        models.F("fingerprint"),
                        name="acknowledgement_fingerprint_unique",
                        violation_error_message="This finding is acknowledged already.",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="HistoricalAcknowledgement",
            fields=[
                ("digest", oegen.audit.seals.DigestField(editable=False, max_length=64)),
                ("id", models.UUIDField(db_index=True, default=uuid.uuid4, editable=False)),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
                (
                    "modified_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
                ("version", models.PositiveIntegerField(default=1, editable=False)),
                ("fingerprint", models.CharField(editable=False, max_length=64)),
                ("finding", models.TextField(editable=False)),
                ("reason", models.TextField()),
                (
                    "history_id",
                    models.BigAutoField(editable=False, primary_key=True, serialize=False),
                ),
                ("history_date", models.DateTimeField()),
                ("history_change_reason", models.TextField(null=True)),
                (
                    "history_type",
                    models.CharField(
                        choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1
                    ),
                ),
                (
                    "change_set",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="oegen.changeset",
                    ),
                ),
                (
                    "history_user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "historical acknowledged finding",
                "verbose_name_plural": "historical acknowledged findings",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
                "indexes": [
                    models.Index(
                        fields=["history_date", "id"], name="oegen_histo_history_7d5bc8_idx"
                    )
                ],
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="SortKey",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("text", models.TextField()),
                ("key", models.TextField()),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("text",), name="sortkey_unique")],
            },
        ),
        migrations.RunPython(add_trigram_indexes, migrations.RunPython.noop),
        migrations.RunPython(compare_by_code_point, migrations.RunPython.noop),
    ]
