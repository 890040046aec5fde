import uuid

import django.db.models.deletion
import django.db.models.functions.text
import django.db.models.lookups
import django.utils.timezone
import simple_history.models
from django.conf import settings
from django.db import migrations, models

import oegen.audit.seals
import oegen.core.fields


class Migration(migrations.Migration):
    replaces = [
        ("counterparties", "0001_initial"),
        ("counterparties", "0002_reference"),
        ("counterparties", "0003_name_by_key"),
        ("counterparties", "0004_contact_aliases"),
        ("counterparties", "0005_lei_with_check_digits"),
    ]

    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Counterparty",
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
                ("name", models.CharField(max_length=200)),
                (
                    "aliases",
                    models.TextField(
                        blank=True,
                        help_text="One a line. Search and imports find these too.",
                        verbose_name="other names",
                    ),
                ),
                (
                    "strategy",
                    models.TextField(
                        blank=True, help_text="What they are after, in a sentence or two."
                    ),
                ),
                ("website", models.URLField(blank=True)),
                (
                    "country",
                    oegen.core.fields.CountryField(
                        blank=True, help_text="Country of registration.", max_length=2
                    ),
                ),
                (
                    "company_number",
                    models.CharField(
                        blank=True,
                        help_text="As registered, such as 09876543 at Companies House.",
                        max_length=40,
                    ),
                ),
                (
                    "lei",
                    models.CharField(
                        blank=True,
                        help_text="Legal entity identifier (ISO 17442), 20 characters.",
                        max_length=20,
                        verbose_name="LEI",
                    ),
                ),
                (
                    "is_placeholder",
                    models.BooleanField(
                        default=False,
                        help_text="Made by an import for a reference to a company nobody has described yet.",
                        verbose_name="placeholder",
                    ),
                ),
                (
                    "archived_at",
                    models.DateTimeField(
                        blank=True, help_text="Set when you no longer deal with them.", null=True
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "counterparties",
                "ordering": ["name"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            django.db.models.lookups.Exact(
                                django.db.models.functions.text.Trim("name"), models.Value("")
                            ),
                            _negated=True,
                        ),
                        name="counterparty_name_present",
                        violation_error_message="Give it a name.",
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
                        name="counterparty_country_shape",
                        violation_error_message="Give the country's two-letter ISO code, such as GB.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Contact",
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
                ("name", models.CharField(max_length=200)),
                ("email", models.EmailField(blank=True, max_length=254, verbose_name="e-mail")),
                ("phone", models.CharField(blank=True, max_length=40)),
                ("job_title", models.CharField(blank=True, max_length=120)),
                (
                    "aliases",
                    models.TextField(
                        blank=True,
                        help_text="One a line. Search finds these too.",
                        verbose_name="other names",
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
                        name="contact_name_present",
                        violation_error_message="Give it a name.",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ContactRole",
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
            ],
            options={
                "ordering": ["order", "name"],
                "abstract": False,
                "constraints": [
                    models.UniqueConstraint(
                        django.db.models.functions.text.Lower(
                            django.db.models.functions.text.Trim("name")
                        ),
                        name="contactrole_name_unique",
                        violation_error_message="There is already one of this name (case does not count).",
                    ),
                    models.UniqueConstraint(
                        django.db.models.functions.text.Lower(
                            django.db.models.functions.text.Trim("code")
                        ),
                        name="contactrole_code_unique",
                        violation_error_message="There is already one of this name (case does not count).",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="CounterpartyContact",
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
                ("valid_from", models.DateField(blank=True, null=True, verbose_name="from")),
                (
                    "valid_until",
                    models.DateField(
                        blank=True, help_text="Last day.", null=True, verbose_name="until"
                    ),
                ),
                (
                    "contact",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="counterparty_links",
                        to="counterparties.contact",
                    ),
                ),
                (
                    "counterparty",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="contact_links",
                        to="counterparties.counterparty",
                    ),
                ),
                (
                    "role",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="counterparties.contactrole",
                    ),
                ),
            ],
            options={
                "verbose_name": "contact role",
                "ordering": ["role__order", "contact__name"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("counterparty", "contact", "role"),
                        name="counterpartycontact_unique",
                        violation_error_message="This person already has this role there.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("valid_until__gte", models.F("valid_from"))),
                        name="counterpartycontact_period",
                        violation_error_message="“Until” lies before “from”.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="HistoricalContact",
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
                ("name", models.CharField(max_length=200)),
                ("email", models.EmailField(blank=True, max_length=254, verbose_name="e-mail")),
                ("phone", models.CharField(blank=True, max_length=40)),
                ("job_title", models.CharField(blank=True, max_length=120)),
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
                    "history_user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "aliases",
                    models.TextField(
                        blank=True,
                        help_text="One a line. Search finds these too.",
                        verbose_name="other names",
                    ),
                ),
            ],
            options={
                "verbose_name": "historical contact",
                "verbose_name_plural": "historical contacts",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
                "indexes": [
                    models.Index(
                        fields=["history_date", "id"], name="counterpart_history_1d3230_idx"
                    )
                ],
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="HistoricalContactRole",
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
                "verbose_name": "historical contact role",
                "verbose_name_plural": "historical contact roles",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
                "indexes": [
                    models.Index(
                        fields=["history_date", "id"], name="counterpart_history_c07b69_idx"
                    )
                ],
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="HistoricalCounterparty",
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
                ("name", models.CharField(max_length=200)),
                (
                    "aliases",
                    models.TextField(
                        blank=True,
                        help_text="One a line. Search and imports find these too.",
                        verbose_name="other names",
                    ),
                ),
                (
                    "strategy",
                    models.TextField(
                        blank=True, help_text="What they are after, in a sentence or two."
                    ),
                ),
                ("website", models.URLField(blank=True)),
                (
                    "country",
                    oegen.core.fields.CountryField(
                        blank=True, help_text="Country of registration.", max_length=2
                    ),
                ),
                (
                    "company_number",
                    models.CharField(
                        blank=True,
                        help_text="As registered, such as 09876543 at Companies House.",
                        max_length=40,
                    ),
                ),
                (
                    "lei",
                    models.CharField(
                        blank=True,
                        help_text="Legal entity identifier (ISO 17442), 20 characters.",
                        max_length=20,
                        verbose_name="LEI",
                    ),
                ),
                (
                    "is_placeholder",
                    models.BooleanField(
                        default=False,
                        help_text="Made by an import for a reference to a company nobody has described yet.",
                        verbose_name="placeholder",
                    ),
                ),
                (
                    "archived_at",
                    models.DateTimeField(
                        blank=True, help_text="Set when you no longer deal with them.", null=True
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
                "verbose_name": "historical counterparty",
                "verbose_name_plural": "historical counterparties",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
                "indexes": [
                    models.Index(
                        fields=["history_date", "id"], name="counterpart_history_4fbe12_idx"
                    )
                ],
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="HistoricalCounterpartyContact",
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
                ("valid_from", models.DateField(blank=True, null=True, verbose_name="from")),
                (
                    "valid_until",
                    models.DateField(
                        blank=True, help_text="Last day.", null=True, verbose_name="until"
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
                    "contact",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="counterparties.contact",
                    ),
                ),
                (
                    "counterparty",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="counterparties.counterparty",
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
                    "role",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="counterparties.contactrole",
                    ),
                ),
            ],
            options={
                "verbose_name": "historical contact role",
                "verbose_name_plural": "historical contact roles",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
                "indexes": [
                    models.Index(
                        fields=["history_date", "id"], name="counterpart_history_4718e7_idx"
                    )
                ],
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.AddField(
            model_name="counterparty",
            name="contacts",
            field=models.ManyToManyField(
                related_name="counterparties",
                through="counterparties.CounterpartyContact",
                to="counterparties.contact",
            ),
        ),
    ]
