"""The import of information points."""

import re

from counterparties.imports import COMPUTED
from infopoints.choices import Status
from infopoints.models import (
    InformationPoint,
    InformationPointCounterparty,
    InformationPointPipeline,
    InformationPointTechnology,
)
from oegen.imports.tables.kinds import ImportField, ImportKind, LinkTo, register
from oegen.imports.tables.values import (
    Choice,
    Day,
    Named,
    Person,
    Row,
    Several,
    Whole,
    split_list,
)
from pipelines.models import Technology

#: Lists show technologies with commas; other files write “Solar/BESS”.
_TECHNOLOGIES = re.compile(r"[;,\n/]")


def _split_technologies(text: str) -> list[str]:
    return split_list(text, _TECHNOLOGIES)


INFORMATION_POINTS = register(
    ImportKind(
        name="infopoints",
        model=InformationPoint,
        name_field="title",
        computed=COMPUTED | {"Rating"},
        own_fields=(
            ImportField(
                name="title", label="Information point", other_names=("Title", "Name", "Headline")
            ),
            ImportField(name="description", label="Description", other_names=("Text", "Details")),
            ImportField(name="market", label="Market"),
            ImportField(name="impact", label="Impact", reads=Whole()),
            ImportField(name="likelihood", label="Likelihood", reads=Whole()),
            ImportField(name="owner", label="Owner", reads=Person(), other_names=("Responsible",)),
            ImportField(name="status", label="Status", reads=Choice(Status)),
            ImportField(
                name="review_on", label="Review", reads=Day(), other_names=("Review date",)
            ),
            ImportField(
                name="technologies",
                label="Technologies",
                reads=Several(Row(Technology), _split_technologies),
                other_names=("Technology",),
                link=LinkTo(
                    model=InformationPointTechnology,
                    owner="information_point",
                    target="technology",
                ),
            ),
            ImportField(
                name="counterparties",
                label="Counterparties",
                reads=Several(Named("counterparties")),
                other_names=("Counterparty", "Companies"),
                link=LinkTo(
                    model=InformationPointCounterparty,
                    owner="information_point",
                    target="counterparty",
                ),
            ),
            ImportField(
                name="pipelines",
                label="Pipelines",
                reads=Several(Named("pipelines")),
                other_names=("Pipeline", "Projects"),
                link=LinkTo(
                    model=InformationPointPipeline,
                    owner="information_point",
                    target="pipeline",
                ),
            ),
        ),
    )
)
