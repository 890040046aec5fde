"""Information points as an entity set."""

from infopoints.models import InformationPoint
from oegen.api.odata.sets import (
    EntitySet,
    bookkeeping,
    fields,
    of_queryset,
    person_name,
    register,
)

register(
    EntitySet(
        "InformationPoints",
        "InformationPoint",
        "What was learnt about the market, rated by impact and likelihood.",
        (
            *fields(
                InformationPoint,
                id="The information point's id.",
                title="What it is, in a line.",
                description="What it is.",
            ),
            *fields(InformationPoint, "market", "impact", "likelihood", "rating", "review_on"),
            *fields(
                InformationPoint,
                status="One of open, watching, closed.",
                owner="The number of who keeps an eye on it.",
            ),
            person_name("owner_name", "owner", "Who keeps an eye on it."),
            *bookkeeping(InformationPoint),
        ),
        of_queryset(lambda: InformationPoint.objects.recorded()),
    )
)
