import uuid
from decimal import Decimal

import django.core.validators
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
        ("pipelines", "0001_initial"),
        ("pipelines", "0002_reference"),
        ("pipelines", "0003_stays_in_order"),
    ]

    initial = True

    dependencies = [
        ("counterparties", "__first__"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Technology",
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
                (
                    "aliases",
                    models.TextField(
                        blank=True,
                        help_text="One a line, as imports spell it. Case does not count.",
                        verbose_name="other names",
                    ),
                ),
                (
                    "unit_label",
                    models.CharField(
                        default="MW", help_text="MWp for solar, else MW.", max_length=10
                    ),
                ),
                (
                    "capacity_basis",
                    models.CharField(choices=[("dc", "DC (MWp)"), ("ac", "AC (MW)")], max_length=2),
                ),
                (
                    "is_storage",
                    models.BooleanField(
                        default=False,
                        help_text="Facilities of it may have a storage figure in MWh.",
                        verbose_name="storage",
                    ),
                ),
                (
                    "icon",
                    models.CharField(blank=True, help_text="Name of a Tabler icon.", max_length=40),
                ),
                (
                    "colour",
                    models.CharField(
                        default="#667085",
                        max_length=7,
                        validators=[
                            django.core.validators.RegexValidator(
                                "^#[0-9A-Fa-f]{6}$",
                                "Give a colour as # and six hex digits: #0072B2.",
                            )
                        ],
                    ),
                ),
                (
                    "colour_dark",
                    models.CharField(
                        default="#98A2B3",
                        max_length=7,
                        validators=[
                            django.core.validators.RegexValidator(
                                "^#[0-9A-Fa-f]{6}$",
                                "Give a colour as # and six hex digits: #0072B2.",
                            )
                        ],
                        verbose_name="colour on dark",
                    ),
                ),
                (
                    "parent",
                    models.ForeignKey(
                        blank=True,
                        help_text="The broader technology that this is a kind of.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="children",
                        to="pipelines.technology",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "technologies",
                "ordering": ["order", "name"],
                "abstract": False,
                "constraints": [
                    models.UniqueConstraint(
                        django.db.models.functions.text.Lower(
                            django.db.models.functions.text.Trim("name")
                        ),
                        name="technology_name_unique",
                        violation_error_message="There is already one of this name (case does not count).",
                    ),
                    models.UniqueConstraint(
                        django.db.models.functions.text.Lower(
                            django.db.models.functions.text.Trim("code")
                        ),
                        name="technology_code_unique",
                        violation_error_message="There is already one of this name (case does not count).",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("capacity_basis__in", ["dc", "ac"])),
                        name="technology_capacity_basis_known",
                        violation_error_message="capacity_basis is not one of: DC (MWp), AC (MW).",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Facility",
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
                    "capacity_mw",
                    models.DecimalField(
                        blank=True,
                        decimal_places=3,
                        help_text="In MW; for solar in MWp (DC). Leave empty if it is not known: 0 means none.",
                        max_digits=12,
                        null=True,
                        validators=[
                            django.core.validators.MinValueValidator(
                                0, "Give 0 MW or more, not %(show_value)s."
                            )
                        ],
                        verbose_name="capacity",
                    ),
                ),
                (
                    "storage_mwh",
                    models.DecimalField(
                        blank=True,
                        decimal_places=3,
                        help_text="Energy in MWh, for storage technologies only.",
                        max_digits=12,
                        null=True,
                        validators=[
                            django.core.validators.MinValueValidator(
                                0, "Give 0 MWh or more, not %(show_value)s."
                            )
                        ],
                        verbose_name="storage",
                    ),
                ),
                (
                    "export_limit_mw",
                    models.DecimalField(
                        blank=True,
                        decimal_places=3,
                        help_text="What the grid connection lets out, in MW (AC).",
                        max_digits=12,
                        null=True,
                        validators=[
                            django.core.validators.MinValueValidator(
                                0, "Give 0 MW or more, not %(show_value)s."
                            )
                        ],
                        verbose_name="export limit",
                    ),
                ),
                (
                    "latitude",
                    models.DecimalField(
                        blank=True,
                        decimal_places=6,
                        help_text="Degrees north, −90 to 90, such as 52.486200.",
                        max_digits=12,
                        null=True,
                        validators=[
                            django.core.validators.MinValueValidator(
                                -90, "Give a number from -90 to 90 degrees, not %(show_value)s."
                            ),
                            django.core.validators.MaxValueValidator(
                                90, "Give a number from -90 to 90 degrees, not %(show_value)s."
                            ),
                        ],
                    ),
                ),
                (
                    "longitude",
                    models.DecimalField(
                        blank=True,
                        decimal_places=6,
                        help_text="Degrees east, −180 to 180; west of Greenwich is negative: −1.890400.",
                        max_digits=12,
                        null=True,
                        validators=[
                            django.core.validators.MinValueValidator(
                                -180, "Give a number from -180 to 180 degrees, not %(show_value)s."
                            ),
                            django.core.validators.MaxValueValidator(
                                180, "Give a number from -180 to 180 degrees, not %(show_value)s."
                            ),
                        ],
                    ),
                ),
                ("country", oegen.core.fields.CountryField(blank=True, max_length=2)),
                (
                    "region",
                    models.CharField(
                        blank=True, help_text="County, state or sea area.", max_length=120
                    ),
                ),
                (
                    "technology",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="facilities",
                        to="pipelines.technology",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "facilities",
                "ordering": ["name"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            django.db.models.lookups.Exact(
                                django.db.models.functions.text.Trim("name"), models.Value("")
                            ),
                            _negated=True,
                        ),
                        name="facility_name_present",
                        violation_error_message="Give it a name.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("capacity_mw__gte", 0)),
                        name="facility_capacity_mw_range",
                        violation_error_message="capacity_mw is out of range.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("storage_mwh__gte", 0)),
                        name="facility_storage_mwh_range",
                        violation_error_message="storage_mwh is out of range.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("export_limit_mw__gte", 0)),
                        name="facility_export_limit_mw_range",
                        violation_error_message="export_limit_mw is out of range.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("latitude__gte", -90), ("latitude__lte", 90)),
                        name="facility_latitude_range",
                        violation_error_message="latitude is out of range.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("longitude__gte", -180), ("longitude__lte", 180)),
                        name="facility_longitude_range",
                        violation_error_message="longitude is out of range.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("latitude", None), ("longitude", None)),
                            models.Q(("latitude__isnull", False), ("longitude__isnull", False)),
                            _connector="OR",
                        ),
                        name="facility_coordinates_paired",
                        violation_error_message="Give both latitude and longitude, or neither.",
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
                        name="facility_country_shape",
                        violation_error_message="Give the country's two-letter ISO code, such as GB.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Stage",
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
                (
                    "is_terminal",
                    models.BooleanField(
                        default=False,
                        help_text="Projects here are no longer pipeline.",
                        verbose_name="end of the pipeline",
                    ),
                ),
                (
                    "default_probability_pct",
                    models.DecimalField(
                        blank=True,
                        decimal_places=2,
                        help_text="Chance of completion in %, for projects without one of their own. Leave empty until the team has agreed on one.",
                        max_digits=9,
                        null=True,
                        validators=[
                            django.core.validators.MinValueValidator(
                                0, "Give a number from 0 to 100 %%, not %(show_value)s."
                            ),
                            django.core.validators.MaxValueValidator(
                                100, "Give a number from 0 to 100 %%, not %(show_value)s."
                            ),
                        ],
                        verbose_name="default probability",
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
                        name="stage_name_unique",
                        violation_error_message="There is already one of this name (case does not count).",
                    ),
                    models.UniqueConstraint(
                        django.db.models.functions.text.Lower(
                            django.db.models.functions.text.Trim("code")
                        ),
                        name="stage_code_unique",
                        violation_error_message="There is already one of this name (case does not count).",
                    ),
                    models.UniqueConstraint(fields=("order",), name="stage_order_unique"),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("default_probability_pct__gte", 0),
                            ("default_probability_pct__lte", 100),
                        ),
                        name="stage_default_probability_pct_range",
                        violation_error_message="default_probability_pct is out of range.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Pipeline",
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
                ("project_name", models.CharField(max_length=200)),
                ("on_hold", models.BooleanField(default=False)),
                ("on_hold_reason", models.TextField(blank=True, verbose_name="why on hold")),
                (
                    "outcome",
                    models.CharField(
                        choices=[
                            ("active", "Active"),
                            ("withdrawn", "Withdrawn"),
                            ("refused", "Refused"),
                            ("sold", "Sold"),
                        ],
                        default="active",
                        max_length=12,
                    ),
                ),
                (
                    "rtb_date",
                    models.DateField(
                        blank=True,
                        help_text="Ready to build: every right and permit is in hand. Expected, or when it was.",
                        null=True,
                        verbose_name="RTB date",
                    ),
                ),
                (
                    "cod_date",
                    models.DateField(
                        blank=True,
                        help_text="Commercial operation date: first full export. Expected, or when it was.",
                        null=True,
                        verbose_name="COD",
                    ),
                ),
                (
                    "rag_status",
                    models.CharField(
                        blank=True,
                        choices=[("red", "Red"), ("amber", "Amber"), ("green", "Green")],
                        help_text="Red: it will not make its date as things stand. Amber: it may not. Green: on track. Empty: nobody has rated it.",
                        max_length=5,
                        verbose_name="RAG",
                    ),
                ),
                (
                    "rag_comment",
                    models.TextField(
                        blank=True, help_text="Why, in a sentence.", verbose_name="RAG comment"
                    ),
                ),
                (
                    "rag_confirmed_at",
                    models.DateTimeField(
                        blank=True,
                        editable=False,
                        help_text="When somebody last set or confirmed the rating.",
                        null=True,
                        verbose_name="RAG confirmed",
                    ),
                ),
                (
                    "ownership_pct",
                    models.DecimalField(
                        decimal_places=2,
                        default=Decimal("100"),
                        help_text="Our share in %, 0 to 100.",
                        max_digits=9,
                        validators=[
                            django.core.validators.MinValueValidator(
                                0, "Give a number from 0 to 100 %%, not %(show_value)s."
                            ),
                            django.core.validators.MaxValueValidator(
                                100, "Give a number from 0 to 100 %%, not %(show_value)s."
                            ),
                        ],
                        verbose_name="ownership",
                    ),
                ),
                (
                    "probability_pct",
                    models.DecimalField(
                        blank=True,
                        decimal_places=2,
                        help_text="Chance of completion in %, where it differs from the stage's own.",
                        max_digits=9,
                        null=True,
                        validators=[
                            django.core.validators.MinValueValidator(
                                0, "Give a number from 0 to 100 %%, not %(show_value)s."
                            ),
                            django.core.validators.MaxValueValidator(
                                100, "Give a number from 0 to 100 %%, not %(show_value)s."
                            ),
                        ],
                        verbose_name="probability",
                    ),
                ),
                (
                    "probability_reason",
                    models.TextField(
                        blank=True,
                        help_text="Needed with a probability of its own.",
                        verbose_name="why this probability",
                    ),
                ),
                (
                    "probability_expires_on",
                    models.DateField(
                        blank=True,
                        help_text="After this day the stage's own probability counts again.",
                        null=True,
                        verbose_name="probability valid until",
                    ),
                ),
                (
                    "stage",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="pipelines",
                        to="pipelines.stage",
                    ),
                ),
            ],
            options={
                "ordering": ["project_name"],
                "indexes": [
                    models.Index(
                        fields=["stage", "outcome", "on_hold"],
                        name="pipelines_p_stage_i_ec464e_idx",
                    ),
                    models.Index(fields=["rtb_date"], name="pipelines_p_rtb_dat_67369b_idx"),
                    models.Index(fields=["project_name"], name="pipelines_p_project_0a013d_idx"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            django.db.models.lookups.Exact(
                                django.db.models.functions.text.Trim("project_name"),
                                models.Value(""),
                            ),
                            _negated=True,
                        ),
                        name="pipeline_project_name_present",
                        violation_error_message="Give it a name.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("outcome__in", ["active", "withdrawn", "refused", "sold"])
                        ),
                        name="pipeline_outcome_known",
                        violation_error_message="outcome is not one of: Active, Withdrawn, Refused, Sold.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("rag_status__in", ["", "red", "amber", "green"])),
                        name="pipeline_rag_status_known",
                        violation_error_message="RAG is Red, Amber, Green or empty.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("ownership_pct__gte", 0), ("ownership_pct__lte", 100)),
                        name="pipeline_ownership_pct_range",
                        violation_error_message="ownership_pct is out of range.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("probability_pct__gte", 0), ("probability_pct__lte", 100)
                        ),
                        name="pipeline_probability_pct_range",
                        violation_error_message="probability_pct is out of range.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("probability_pct", None),
                            models.Q(("probability_reason", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="pipeline_probability_explained",
                        violation_error_message="Say why the probability differs from the stage's own.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("on_hold", True), ("on_hold_reason", ""), _connector="OR"
                        ),
                        name="pipeline_hold_reason_only_on_hold",
                        violation_error_message="A reason for the hold needs the hold.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("cod_date__gte", models.F("rtb_date"))),
                        name="pipeline_rtb_before_cod",
                        violation_error_message="Commercial operation lies before ready to build.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="CounterpartyRole",
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
                        name="counterpartyrole_name_unique",
                        violation_error_message="There is already one of this name (case does not count).",
                    ),
                    models.UniqueConstraint(
                        django.db.models.functions.text.Lower(
                            django.db.models.functions.text.Trim("code")
                        ),
                        name="counterpartyrole_code_unique",
                        violation_error_message="There is already one of this name (case does not count).",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="PipelineCounterparty",
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
                    "share_pct",
                    models.DecimalField(
                        blank=True,
                        decimal_places=2,
                        help_text="In %, 0 to 100.",
                        max_digits=9,
                        null=True,
                        validators=[
                            django.core.validators.MinValueValidator(
                                0, "Give a number from 0 to 100 %%, not %(show_value)s."
                            ),
                            django.core.validators.MaxValueValidator(
                                100, "Give a number from 0 to 100 %%, not %(show_value)s."
                            ),
                        ],
                        verbose_name="share",
                    ),
                ),
                (
                    "counterparty",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="pipeline_links",
                        to="counterparties.counterparty",
                    ),
                ),
                (
                    "pipeline",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="counterparty_links",
                        to="pipelines.pipeline",
                    ),
                ),
                (
                    "role",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="pipelines.counterpartyrole",
                    ),
                ),
            ],
            options={
                "verbose_name": "counterparty of a pipeline",
                "verbose_name_plural": "counterparties of pipelines",
                "ordering": ["role__order", "counterparty__name"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("pipeline", "counterparty", "role"),
                        name="pipelinecounterparty_unique",
                        violation_error_message="This counterparty already has this role here.",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(
                            ("role", uuid.UUID("c46d0906-4eb9-5107-9a90-0c8726e848e8"))
                        ),
                        fields=("pipeline",),
                        name="pipelinecounterparty_one_lead_developer",
                        violation_error_message="A pipeline has one Lead developer: give the other another role.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("share_pct__gte", 0), ("share_pct__lte", 100)),
                        name="pipelinecounterparty_share_pct_range",
                        violation_error_message="share_pct is out of range.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="PipelineFacility",
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
                    "facility",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="pipeline_links",
                        to="pipelines.facility",
                    ),
                ),
                (
                    "pipeline",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="facility_links",
                        to="pipelines.pipeline",
                    ),
                ),
            ],
            options={
                "verbose_name": "facility of a pipeline",
                "verbose_name_plural": "facilities of pipelines",
                "ordering": ["facility__name"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("pipeline", "facility"),
                        name="pipelinefacility_unique",
                        violation_error_message="This facility is already part of the pipeline.",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="HistoricalStageTransition",
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
                ("on_hold", models.BooleanField()),
                (
                    "outcome",
                    models.CharField(
                        choices=[
                            ("active", "Active"),
                            ("withdrawn", "Withdrawn"),
                            ("refused", "Refused"),
                            ("sold", "Sold"),
                        ],
                        max_length=12,
                    ),
                ),
                (
                    "effective_on",
                    models.DateField(
                        help_text="The day it happened; may be earlier than the day you enter it."
                    ),
                ),
                (
                    "recorded_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
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
                    "recorded_by",
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
                    "stage",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="pipelines.stage",
                    ),
                ),
            ],
            options={
                "verbose_name": "historical stage transition",
                "verbose_name_plural": "historical stage transitions",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
                "indexes": [
                    models.Index(
                        fields=["history_date", "id"], name="pipelines_h_history_4bf073_idx"
                    )
                ],
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="HistoricalPipeline",
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
                ("project_name", models.CharField(max_length=200)),
                ("on_hold", models.BooleanField(default=False)),
                ("on_hold_reason", models.TextField(blank=True, verbose_name="why on hold")),
                (
                    "outcome",
                    models.CharField(
                        choices=[
                            ("active", "Active"),
                            ("withdrawn", "Withdrawn"),
                            ("refused", "Refused"),
                            ("sold", "Sold"),
                        ],
                        default="active",
                        max_length=12,
                    ),
                ),
                (
                    "rtb_date",
                    models.DateField(
                        blank=True,
                        help_text="Ready to build: every right and permit is in hand. Expected, or when it was.",
                        null=True,
                        verbose_name="RTB date",
                    ),
                ),
                (
                    "cod_date",
                    models.DateField(
                        blank=True,
                        help_text="Commercial operation date: first full export. Expected, or when it was.",
                        null=True,
                        verbose_name="COD",
                    ),
                ),
                (
                    "rag_status",
                    models.CharField(
                        blank=True,
                        choices=[("red", "Red"), ("amber", "Amber"), ("green", "Green")],
                        help_text="Red: it will not make its date as things stand. Amber: it may not. Green: on track. Empty: nobody has rated it.",
                        max_length=5,
                        verbose_name="RAG",
                    ),
                ),
                (
                    "rag_comment",
                    models.TextField(
                        blank=True, help_text="Why, in a sentence.", verbose_name="RAG comment"
                    ),
                ),
                (
                    "rag_confirmed_at",
                    models.DateTimeField(
                        blank=True,
                        editable=False,
                        help_text="When somebody last set or confirmed the rating.",
                        null=True,
                        verbose_name="RAG confirmed",
                    ),
                ),
                (
                    "ownership_pct",
                    models.DecimalField(
                        decimal_places=2,
                        default=Decimal("100"),
                        help_text="Our share in %, 0 to 100.",
                        max_digits=9,
                        validators=[
                            django.core.validators.MinValueValidator(
                                0, "Give a number from 0 to 100 %%, not %(show_value)s."
                            ),
                            django.core.validators.MaxValueValidator(
                                100, "Give a number from 0 to 100 %%, not %(show_value)s."
                            ),
                        ],
                        verbose_name="ownership",
                    ),
                ),
                (
                    "probability_pct",
                    models.DecimalField(
                        blank=True,
                        decimal_places=2,
                        help_text="Chance of completion in %, where it differs from the stage's own.",
                        max_digits=9,
                        null=True,
                        validators=[
                            django.core.validators.MinValueValidator(
                                0, "Give a number from 0 to 100 %%, not %(show_value)s."
                            ),
                            django.core.validators.MaxValueValidator(
                                100, "Give a number from 0 to 100 %%, not %(show_value)s."
                            ),
                        ],
                        verbose_name="probability",
                    ),
                ),
                (
                    "probability_reason",
                    models.TextField(
                        blank=True,
                        help_text="Needed with a probability of its own.",
                        verbose_name="why this probability",
                    ),
                ),
                (
                    "probability_expires_on",
                    models.DateField(
                        blank=True,
                        help_text="After this day the stage's own probability counts again.",
                        null=True,
                        verbose_name="probability valid until",
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
                    "stage",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="pipelines.stage",
                    ),
                ),
            ],
            options={
                "verbose_name": "historical pipeline",
                "verbose_name_plural": "historical pipelines",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
                "indexes": [
                    models.Index(
                        fields=["history_date", "id"], name="pipelines_h_history_2e51bc_idx"
                    )
                ],
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="StageTransition",
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
                ("on_hold", models.BooleanField()),
                (
                    "outcome",
                    models.CharField(
                        choices=[
                            ("active", "Active"),
                            ("withdrawn", "Withdrawn"),
                            ("refused", "Refused"),
                            ("sold", "Sold"),
                        ],
                        max_length=12,
                    ),
                ),
                (
                    "effective_on",
                    models.DateField(
                        help_text="The day it happened; may be earlier than the day you enter it."
                    ),
                ),
                (
                    "recorded_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
                (
                    "pipeline",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="transitions",
                        to="pipelines.pipeline",
                    ),
                ),
                (
                    "recorded_by",
                    models.ForeignKey(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "stage",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="pipelines.stage",
                    ),
                ),
            ],
            options={
                "ordering": ["pipeline", "-recorded_at"],
                "indexes": [
                    models.Index(
                        fields=["pipeline", "recorded_at"], name="pipelines_s_pipelin_9ac93d_idx"
                    ),
                    models.Index(
                        fields=[
                            "pipeline",
                            "effective_on",
                            "recorded_at",
                            "id",
                            "stage",
                            "outcome",
                        ],
                        name="stagetransition_stays",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("outcome__in", ["active", "withdrawn", "refused", "sold"])
                        ),
                        name="stagetransition_outcome_known",
                        violation_error_message="outcome is not one of: Active, Withdrawn, Refused, Sold.",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="HistoricalTechnology",
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
                    "aliases",
                    models.TextField(
                        blank=True,
                        help_text="One a line, as imports spell it. Case does not count.",
                        verbose_name="other names",
                    ),
                ),
                (
                    "unit_label",
                    models.CharField(
                        default="MW", help_text="MWp for solar, else MW.", max_length=10
                    ),
                ),
                (
                    "capacity_basis",
                    models.CharField(choices=[("dc", "DC (MWp)"), ("ac", "AC (MW)")], max_length=2),
                ),
                (
                    "is_storage",
                    models.BooleanField(
                        default=False,
                        help_text="Facilities of it may have a storage figure in MWh.",
                        verbose_name="storage",
                    ),
                ),
                (
                    "icon",
                    models.CharField(blank=True, help_text="Name of a Tabler icon.", max_length=40),
                ),
                (
                    "colour",
                    models.CharField(
                        default="#667085",
                        max_length=7,
                        validators=[
                            django.core.validators.RegexValidator(
                                "^#[0-9A-Fa-f]{6}$",
                                "Give a colour as # and six hex digits: #0072B2.",
                            )
                        ],
                    ),
                ),
                (
                    "colour_dark",
                    models.CharField(
                        default="#98A2B3",
                        max_length=7,
                        validators=[
                            django.core.validators.RegexValidator(
                                "^#[0-9A-Fa-f]{6}$",
                                "Give a colour as # and six hex digits: #0072B2.",
                            )
                        ],
                        verbose_name="colour on dark",
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
                    "parent",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        help_text="The broader technology that this is a kind of.",
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="pipelines.technology",
                    ),
                ),
            ],
            options={
                "verbose_name": "historical technology",
                "verbose_name_plural": "historical technologies",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
                "indexes": [
                    models.Index(
                        fields=["history_date", "id"], name="pipelines_h_history_4649dc_idx"
                    )
                ],
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="HistoricalFacility",
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
                    "capacity_mw",
                    models.DecimalField(
                        blank=True,
                        decimal_places=3,
                        help_text="In MW; for solar in MWp (DC). Leave empty if it is not known: 0 means none.",
                        max_digits=12,
                        null=True,
                        validators=[
                            django.core.validators.MinValueValidator(
                                0, "Give 0 MW or more, not %(show_value)s."
                            )
                        ],
                        verbose_name="capacity",
                    ),
                ),
                (
                    "storage_mwh",
                    models.DecimalField(
                        blank=True,
                        decimal_places=3,
                        help_text="Energy in MWh, for storage technologies only.",
                        max_digits=12,
                        null=True,
                        validators=[
                            django.core.validators.MinValueValidator(
                                0, "Give 0 MWh or more, not %(show_value)s."
                            )
                        ],
                        verbose_name="storage",
                    ),
                ),
                (
                    "export_limit_mw",
                    models.DecimalField(
                        blank=True,
                        decimal_places=3,
                        help_text="What the grid connection lets out, in MW (AC).",
                        max_digits=12,
                        null=True,
                        validators=[
                            django.core.validators.MinValueValidator(
                                0, "Give 0 MW or more, not %(show_value)s."
                            )
                        ],
                        verbose_name="export limit",
                    ),
                ),
                (
                    "latitude",
                    models.DecimalField(
                        blank=True,
                        decimal_places=6,
                        help_text="Degrees north, −90 to 90, such as 52.486200.",
                        max_digits=12,
                        null=True,
                        validators=[
                            django.core.validators.MinValueValidator(
                                -90, "Give a number from -90 to 90 degrees, not %(show_value)s."
                            ),
                            django.core.validators.MaxValueValidator(
                                90, "Give a number from -90 to 90 degrees, not %(show_value)s."
                            ),
                        ],
                    ),
                ),
                (
                    "longitude",
                    models.DecimalField(
                        blank=True,
                        decimal_places=6,
                        help_text="Degrees east, −180 to 180; west of Greenwich is negative: −1.890400.",
                        max_digits=12,
                        null=True,
                        validators=[
                            django.core.validators.MinValueValidator(
                                -180, "Give a number from -180 to 180 degrees, not %(show_value)s."
                            ),
                            django.core.validators.MaxValueValidator(
                                180, "Give a number from -180 to 180 degrees, not %(show_value)s."
                            ),
                        ],
                    ),
                ),
                ("country", oegen.core.fields.CountryField(blank=True, max_length=2)),
                (
                    "region",
                    models.CharField(
                        blank=True, help_text="County, state or sea area.", max_length=120
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
            ],
            options={
                "verbose_name": "historical facility",
                "verbose_name_plural": "historical facilities",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
                "indexes": [
                    models.Index(
                        fields=["history_date", "id"], name="pipelines_h_history_ab4de3_idx"
                    )
                ],
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="HistoricalCounterpartyRole",
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
                "verbose_name": "historical counterparty role",
                "verbose_name_plural": "historical counterparty roles",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
                "indexes": [
                    models.Index(
                        fields=["history_date", "id"], name="pipelines_h_history_10d3eb_idx"
                    )
                ],
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="HistoricalStage",
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
                    "is_terminal",
                    models.BooleanField(
                        default=False,
                        help_text="Projects here are no longer pipeline.",
                        verbose_name="end of the pipeline",
                    ),
                ),
                (
                    "default_probability_pct",
                    models.DecimalField(
                        blank=True,
                        decimal_places=2,
                        help_text="Chance of completion in %, for projects without one of their own. Leave empty until the team has agreed on one.",
                        max_digits=9,
                        null=True,
                        validators=[
                            django.core.validators.MinValueValidator(
                                0, "Give a number from 0 to 100 %%, not %(show_value)s."
                            ),
                            django.core.validators.MaxValueValidator(
                                100, "Give a number from 0 to 100 %%, not %(show_value)s."
                            ),
                        ],
                        verbose_name="default probability",
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
                "verbose_name": "historical stage",
                "verbose_name_plural": "historical stages",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
                "indexes": [
                    models.Index(
                        fields=["history_date", "id"], name="pipelines_h_history_44f909_idx"
                    )
                ],
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="HistoricalPipelineFacility",
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
                    "facility",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="pipelines.facility",
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
            ],
            options={
                "verbose_name": "historical facility of a pipeline",
                "verbose_name_plural": "historical facilities of pipelines",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
                "indexes": [
                    models.Index(
                        fields=["history_date", "id"], name="pipelines_h_history_e20c85_idx"
                    )
                ],
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="HistoricalPipelineCounterparty",
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
                    "share_pct",
                    models.DecimalField(
                        blank=True,
                        decimal_places=2,
                        help_text="In %, 0 to 100.",
                        max_digits=9,
                        null=True,
                        validators=[
                            django.core.validators.MinValueValidator(
                                0, "Give a number from 0 to 100 %%, not %(show_value)s."
                            ),
                            django.core.validators.MaxValueValidator(
                                100, "Give a number from 0 to 100 %%, not %(show_value)s."
                            ),
                        ],
                        verbose_name="share",
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
                        to="pipelines.counterpartyrole",
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
            ],
            options={
                "verbose_name": "historical counterparty of a pipeline",
                "verbose_name_plural": "historical counterparties of pipelines",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
                "indexes": [
                    models.Index(
                        fields=["history_date", "id"], name="pipelines_h_history_f13832_idx"
                    )
                ],
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.AddField(
            model_name="pipeline",
            name="counterparties",
            field=models.ManyToManyField(
                related_name="pipelines",
                through="pipelines.PipelineCounterparty",
                to="counterparties.counterparty",
            ),
        ),
        migrations.AddField(
            model_name="pipeline",
            name="facilities",
            field=models.ManyToManyField(
                related_name="pipelines",
                through="pipelines.PipelineFacility",
                to="pipelines.facility",
            ),
        ),
    ]
