"""Pipelines, facilities and what belongs to them as entity sets."""

from __future__ import annotations

from django.db.models import F
from django.db.models.functions import Round

from oegen.api.odata import types
from oegen.api.odata.sets import (
    Column,
    EntitySet,
    bookkeeping,
    fields,
    of_queryset,
    person_name,
    register,
    truth,
)
from oegen.core import clock
from pipelines.choices import UNCONFIRMED_DAYS
from pipelines.models import Facility, Pipeline, PipelineFacility
from pipelines.querysets import (
    IS_OPEN,
    is_overdue,
    not_confirmed_since,
    rtb_bucket_of,
    state_of,
    status_of,
)

NEVER_ADD = "Never add these up, because facilities can be shared: OpenCapacity is made for sums."


register(
    EntitySet(
        "Pipelines",
        "Pipeline",
        "Projects, in whatever state.",
        (
            *fields(Pipeline, id="The project's id.", project_name="Its name."),
            Column("stage", types.STRING, "The stage's code.", "stage__code"),
            Column("stage_name", types.STRING, "The stage's name.", "stage__name"),
            Column("stage_order", types.INTEGER, "To sort stages by.", "stage__order"),
            Column(
                "status",
                types.STRING,
                "The stage's code, on-hold, or the outcome that ended the project.",
                status_of,
            ),
            Column("state", types.STRING, "One of open, on-hold, completed, ended.", state_of),
            truth("open", lambda: IS_OPEN, "Active, in a stage that is no end, and not on hold."),
            truth("overdue", is_overdue, "Open before Construction, and its RTB date has passed."),
            truth(
                "unconfirmed",
                lambda: not_confirmed_since(clock.days_ago(UNCONFIRMED_DAYS)),
                f"Open, and its RAG was not confirmed for over {UNCONFIRMED_DAYS} days, or never.",
            ),
            *fields(
                Pipeline,
                on_hold="On hold in its stage.",
                on_hold_reason="Why it is on hold.",
                outcome="One of active, withdrawn, refused, sold.",
            ),
            *fields(Pipeline, "rtb_date"),
            Column(
                "rtb_bucket",
                types.STRING,
                "The year of the RTB date, or overdue or none.",
                rtb_bucket_of,
            ),
            *fields(
                Pipeline,
                *("cod_date", "rag_status", "rag_comment", "rag_confirmed_at", "ownership_pct"),
                *("probability_pct", "probability_reason", "probability_expires_on"),
            ),
            Column(
                "effective_probability_pct",
                types.decimal(2),
                "Its own probability until that expires, else its stage's, in %.",
                "probability",
                is_nullable=True,
            ),
            Column(
                "capacity_mw",
                types.decimal(3),
                f"The capacity of its facilities in MW, DC and AC mixed. {NEVER_ADD}",
                lambda: Round(F("capacity_mw"), precision=3),
                is_nullable=True,
            ),
            *fields(Pipeline, responsible="The number of who moves it forward."),
            person_name("responsible_name", "responsible", "Who moves it forward."),
            *fields(Pipeline, "next_step", next_step_on="When the next step is due."),
            *bookkeeping(Pipeline),
        ),
        of_queryset(lambda: Pipeline.objects.recorded().with_capacity().with_probability()),
    )
)

register(
    EntitySet(
        "Facilities",
        "Facility",
        "Plants of one technology at one site, also those of no project.",
        (
            *fields(Facility, id="The facility's id.", name="Its name."),
            Column("technology", types.STRING, "The technology's code.", "technology__code"),
            Column("technology_name", types.STRING, "Its technology.", "technology__name"),
            Column(
                "capacity_basis",
                types.STRING,
                "What its MW are of: dc or ac. The two are not the same MW.",
                "technology__capacity_basis",
            ),
            Column(
                "is_storage", types.BOOLEAN, "Batteries and the like.", "technology__is_storage"
            ),
            *fields(Facility, "capacity_mw", "storage_mwh", "export_limit_mw"),
            Column("latitude_deg", types.decimal(6), "Degrees north.", "latitude", True),
            Column("longitude_deg", types.decimal(6), "Degrees east.", "longitude", True),
            *fields(Facility, "region", country="Its country's ISO 3166 code, such as GB."),
            *bookkeeping(Facility),
        ),
        of_queryset(lambda: Facility.objects.recorded()),
    )
)

register(
    EntitySet(
        "PipelineFacilities",
        "PipelineFacility",
        "Which facility is in which project. A facility can be in several.",
        (
            *fields(
                PipelineFacility,
                id="The link's id.",
                pipeline="The project's id.",
                facility="The facility's id.",
            ),
            Column("project_name", types.STRING, "The project.", "pipeline__project_name"),
            Column("facility_name", types.STRING, "The facility.", "facility__name"),
            *bookkeeping(PipelineFacility),
        ),
        of_queryset(lambda: PipelineFacility.objects.recorded()),
    )
)
