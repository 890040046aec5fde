import uuid

import django.core.validators
import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.text
import django.db.models.lookups
import django.utils.timezone
import simple_history.models
from django.conf import settings
from django.db import migrations, models

import oegen.audit.seals


class Migration(migrations.Migration):
    replaces = [("infopoints", "0001_initial")]

    initial = True

    dependencies = [
        ("counterparties", "__first__"),
        ("pipelines", "__first__"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="InformationPoint",
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
                ("title", models.CharField(max_length=200)),
                ("description", models.TextField(blank=True)),
                (
                    "market",
                    models.CharField(
                        blank=True,
                        help_text="Where it applies, such as GB capacity market.",
                        max_length=120,
                    ),
                ),
                (
                    "impact",
                    models.PositiveSmallIntegerField(
                        help_text="How much it would matter, 1 (hardly) to 100 (decisive).",
                        validators=[
                            django.core.validators.MinValueValidator(
                                1, "Give a number from 1 to 100, not %(show_value)s."
                            ),
                            django.core.validators.MaxValueValidator(
                                100, "Give a number from 1 to 100, not %(show_value)s."
                            ),
                        ],
                    ),
                ),
                (
                    "likelihood",
                    models.PositiveSmallIntegerField(
                        help_text="How likely it is, 1 (hardly) to 100 (certain).",
                        validators=[
                            django.core.validators.MinValueValidator(
                                1, "Give a number from 1 to 100, not %(show_value)s."
                            ),
                            django.core.validators.MaxValueValidator(
                                100, "Give a number from 1 to 100, not %(show_value)s."
                            ),
                        ],
                    ),
                ),
                (
                    "rating",
                    models.GeneratedField(
                        db_persist=True,
                        expression=django.db.models.expressions.CombinedExpression(
                            models.F("impact"), "*", models.F("likelihood")
                        ),
                        help_text="Impact × likelihood, 1 to 10,000.",
                        output_field=models.PositiveIntegerField(),
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[("open", "Open"), ("watching", "Watching"), ("closed", "Closed")],
                        default="open",
                        max_length=10,
                    ),
                ),
                (
                    "review_on",
                    models.DateField(
                        blank=True,
                        help_text="When to look at it again.",
                        null=True,
                        verbose_name="review date",
                    ),
                ),
                (
                    "owner",
                    models.ForeignKey(
                        blank=True,
                        help_text="Who keeps an eye on it.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="information_points",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["-rating", "title"],
                "indexes": [models.Index(fields=["-rating"], name="infopoints__rating_4e488c_idx")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            django.db.models.lookups.Exact(
                                django.db.models.functions.text.Trim("title"), models.Value("")
                            ),
                            _negated=True,
                        ),
                        name="informationpoint_title_present",
                        violation_error_message="Give it a name.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("impact__gte", 1), ("impact__lte", 100)),
                        name="informationpoint_impact_range",
                        violation_error_message="impact is out of range.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("likelihood__gte", 1), ("likelihood__lte", 100)),
                        name="informationpoint_likelihood_range",
                        violation_error_message="likelihood is out of range.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("status__in", ["open", "watching", "closed"])),
                        name="informationpoint_status_known",
                        violation_error_message="status is not one of: Open, Watching, Closed.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="InformationPointCounterparty",
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
                    "counterparty",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="information_point_links",
                        to="counterparties.counterparty",
                    ),
                ),
                (
                    "information_point",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="counterparty_links",
                        to="infopoints.informationpoint",
                    ),
                ),
            ],
            options={
                "verbose_name": "counterparty of an information point",
                "verbose_name_plural": "counterparties of information points",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("information_point", "counterparty"),
                        name="informationpointcounterparty_unique",
                        violation_error_message="This counterparty is already named.",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="InformationPointPipeline",
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
                    "information_point",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="pipeline_links",
                        to="infopoints.informationpoint",
                    ),
                ),
                (
                    "pipeline",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="information_point_links",
                        to="pipelines.pipeline",
                    ),
                ),
            ],
            options={
                "verbose_name": "pipeline of an information point",
                "verbose_name_plural": "pipelines of information points",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("information_point", "pipeline"),
                        name="informationpointpipeline_unique",
                        violation_error_message="This pipeline is already named.",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="InformationPointTechnology",
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
                    "information_point",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="technology_links",
                        to="infopoints.informationpoint",
                    ),
                ),
                (
                    "technology",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="information_point_links",
                        to="pipelines.technology",
                    ),
                ),
            ],
            options={
                "verbose_name": "technology of an information point",
                "verbose_name_plural": "technologies of information points",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("information_point", "technology"),
                        name="informationpointtechnology_unique",
                        violation_error_message="This technology is already named.",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="HistoricalInformationPoint",
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
                ("title", models.CharField(max_length=200)),
                ("description", models.TextField(blank=True)),
                (
                    "market",
                    models.CharField(
                        blank=True,
                        help_text="Where it applies, such as GB capacity market.",
                        max_length=120,
                    ),
                ),
                (
                    "impact",
                    models.PositiveSmallIntegerField(
                        help_text="How much it would matter, 1 (hardly) to 100 (decisive).",
                        validators=[
                            django.core.validators.MinValueValidator(
                                1, "Give a number from 1 to 100, not %(show_value)s."
                            ),
                            django.core.validators.MaxValueValidator(
                                100, "Give a number from 1 to 100, not %(show_value)s."
                            ),
                        ],
                    ),
                ),
                (
                    "likelihood",
                    models.PositiveSmallIntegerField(
                        help_text="How likely it is, 1 (hardly) to 100 (certain).",
                        validators=[
                            django.core.validators.MinValueValidator(
                                1, "Give a number from 1 to 100, not %(show_value)s."
                            ),
                            django.core.validators.MaxValueValidator(
                                100, "Give a number from 1 to 100, not %(show_value)s."
                            ),
                        ],
                    ),
                ),
                (
                    "rating",
                    models.GeneratedField(
                        db_persist=True,
                        expression=django.db.models.expressions.CombinedExpression(
                            models.F("impact"), "*", models.F("likelihood")
                        ),
                        help_text="Impact × likelihood, 1 to 10,000.",
                        output_field=models.PositiveIntegerField(),
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[("open", "Open"), ("watching", "Watching"), ("closed", "Closed")],
                        default="open",
                        max_length=10,
                    ),
                ),
                (
                    "review_on",
                    models.DateField(
                        blank=True,
                        help_text="When to look at it again.",
                        null=True,
                        verbose_name="review date",
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
                (
                    "owner",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        help_text="Who keeps an eye on it.",
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "historical information point",
                "verbose_name_plural": "historical information points",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
                "indexes": [
                    models.Index(
                        fields=["history_date", "id"], name="infopoints__history_10e049_idx"
                    )
                ],
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="HistoricalInformationPointTechnology",
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
                    "technology",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="pipelines.technology",
                    ),
                ),
                (
                    "information_point",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="infopoints.informationpoint",
                    ),
                ),
            ],
            options={
                "verbose_name": "historical technology of an information point",
                "verbose_name_plural": "historical technologies of information points",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
                "indexes": [
                    models.Index(
                        fields=["history_date", "id"], name="infopoints__history_69150e_idx"
                    )
                ],
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="HistoricalInformationPointPipeline",
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
                    "pipeline",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="pipelines.pipeline",
                    ),
                ),
                (
                    "information_point",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="infopoints.informationpoint",
                    ),
                ),
            ],
            options={
                "verbose_name": "historical pipeline of an information point",
                "verbose_name_plural": "historical pipelines of information points",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
                "indexes": [
                    models.Index(
                        fields=["history_date", "id"], name="infopoints__history_2bac14_idx"
                    )
                ],
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="HistoricalInformationPointCounterparty",
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
                    "information_point",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="infopoints.informationpoint",
                    ),
                ),
            ],
            options={
                "verbose_name": "historical counterparty of an information point",
                "verbose_name_plural": "historical counterparties of information points",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
                "indexes": [
                    models.Index(
                        fields=["history_date", "id"], name="infopoints__history_02e184_idx"
                    )
                ],
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.AddField(
            model_name="informationpoint",
            name="counterparties",
            field=models.ManyToManyField(
                related_name="information_points",
                through="infopoints.InformationPointCounterparty",
                to="counterparties.counterparty",
            ),
        ),
        migrations.AddField(
            model_name="informationpoint",
            name="pipelines",
            field=models.ManyToManyField(
                related_name="information_points",
                through="infopoints.InformationPointPipeline",
                to="pipelines.pipeline",
            ),
        ),
        migrations.AddField(
            model_name="informationpoint",
            name="technologies",
            field=models.ManyToManyField(
                related_name="information_points",
                through="infopoints.InformationPointTechnology",
                to="pipelines.technology",
            ),
        ),
    ]
