"""Public registers as entity sets. Licence and attribution stand in each row of a project.

There are no views of them in the reporting schemas: what a register said on a day follows from the
dates of its editions, and not from when something was recorded.
"""

from oegen.api.odata.sets import Column, EntitySet, fields, of_queryset, register
from oegen.api.odata.types import STRING
from pipelines.registers.models import ProjectCompany, RegisterCompany, RegisterProject
from pipelines.registers.models.project import Described

#: The fields of a project that a flat table can't hold, or that are ours to compare rows.
_LEFT_OUT = {"digest", "identifiers", "superseded_by", "storage_with", "remarks"}

_DATES = {
    field.name: f"{field.verbose_name[:1].upper()}{field.verbose_name[1:]}."
    for field in Described._meta.local_concrete_fields
    if field.name.endswith("_on")
}

register(
    EntitySet(
        "RegisterProjects",
        "RegisterProject",
        "Projects of public registers, as the newest edition up to the day describes them. They "
        "are not our pipelines, and in none of our figures.",
        (
            *fields(RegisterProject, id="The project's id here."),
            Column("register", STRING, "The register's code.", "register__code"),
            *fields(RegisterProject, "key"),
            *fields(
                RegisterProject,
                name="As published.",
                operator="As published; “Private individual” if it may be one.",
                capacity_mw="MW at the grid side, of German solar MWp; null if not published.",
                capacity_basis="dc: MWp; ac: MW.",
                latitude="°N, WGS 84.",
                longitude="°E, WGS 84.",
                is_approximate="Whether the point is not that of the site.",
                country="Two letters, as ISO 3166 has them.",
                region="As published.",
                place="As published.",
                raw_status="The status as published.",
                raw_technology="The technology as published.",
                outcome="What became of it: active, on-hold, refused, withdrawn, superseded, gone, "
                "built.",
                phase="Where the newest edition has it; empty if it does not.",
                is_private="Whether the operator may be a private individual.",
            ),
            Column("technology", STRING, "Our code of it.", "technology__code", is_nullable=True),
            Column("stage", STRING, "Our stage, by code.", "stage__code", is_nullable=True),
            *fields(RegisterProject, **_DATES),
            *fields(
                RegisterProject,
                first_seen_on="The first edition that has it.",
                last_seen_on="The last edition that has it.",
            ),
            *fields(RegisterProject, "is_vanished"),
            Column("licence", STRING, "The licence of the row.", "register__licence_name"),
            Column("licence_url", STRING, "Where the licence is.", "register__licence_url"),
            Column("attribution", STRING, "What to name as source.", "register__attribution"),
        ),
        of_queryset(lambda: RegisterProject.objects.recorded()),
        is_in_sql=False,
    )
)

register(
    EntitySet(
        "RegisterCompanies",
        "RegisterCompany",
        "Companies that public registers name as operators. They are not our counterparties.",
        tuple(
            fields(
                RegisterCompany,
                id="The company's id here.",
                name="As published last.",
                group="The company that it belongs to.",
            )
        ),
        of_queryset(lambda: RegisterCompany.objects.all()),
        is_in_sql=False,
    )
)

register(
    EntitySet(
        "RegisterProjectCompanies",
        "RegisterProjectCompany",
        "Which companies operate which projects of public registers.",
        tuple(
            fields(
                ProjectCompany,
                id="The row's number.",
                project="The project's id.",
                company="The company's id.",
                position="Its place among the operators, from 0.",
            )
        ),
        of_queryset(lambda: ProjectCompany.objects.all()),
        is_in_sql=False,
    )
)
