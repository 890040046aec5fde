"""Small builders for tests: ``make_pipeline(stage="design", capacity_mw=40)``."""

from itertools import count

from django.contrib.auth.models import Group

from counterparties.models import Contact, Counterparty
from infopoints.models import InformationPoint
from oegen.models import User
from pipelines.models import (
    CounterpartyRole,
    Facility,
    Pipeline,
    PipelineCounterparty,
    PipelineFacility,
    Stage,
    Technology,
)
from pipelines.reference import LEAD_DEVELOPER

PASSWORD = "correct horse battery staple"

_numbers = count(1)


def make_user(role: str | None = None, username: str = "", **values) -> User:
    """A user in the group of that name; ``role=None`` makes one in no group."""
    user = User.objects.create_user(
        username or f"user{next(_numbers)}", password=PASSWORD, **values
    )
    if role:
        user.groups.add(Group.objects.get(name=role))
    return user


def make_counterparty(name: str = "", **values) -> Counterparty:
    return Counterparty.objects.create(name=name or f"Counterparty {next(_numbers)}", **values)


def make_contact(name: str = "", **values) -> Contact:
    return Contact.objects.create(name=name or f"Contact {next(_numbers)}", **values)


def make_facility(name: str = "", technology: str = "solar", **values) -> Facility:
    return Facility.objects.create(
        name=name or f"Facility {next(_numbers)}",
        technology=Technology.objects.get(code=technology),
        **values,
    )


def make_pipeline(
    project_name: str = "",
    *,
    stage: str = "design",
    capacity_mw=None,
    technology: str = "solar",
    lead_developer: Counterparty | None = None,
    **values,
) -> Pipeline:
    """A pipeline, with one facility if ``capacity_mw`` is given."""
    pipeline = Pipeline.objects.create(
        project_name=project_name or f"Pipeline {next(_numbers)}",
        stage=Stage.objects.get(code=stage),
        **values,
    )
    if capacity_mw is not None:
        PipelineFacility.objects.create(
            pipeline=pipeline,
            facility=make_facility(
                pipeline.project_name, technology=technology, capacity_mw=capacity_mw
            ),
        )
    if lead_developer:
        PipelineCounterparty.objects.create(
            pipeline=pipeline,
            counterparty=lead_developer,
            role=CounterpartyRole.objects.get(code=LEAD_DEVELOPER),
        )
    return pipeline


def make_information_point(
    title: str = "", impact: int = 50, likelihood: int = 50, **values
) -> InformationPoint:
    return InformationPoint.objects.create(
        title=title or f"Information point {next(_numbers)}",
        impact=impact,
        likelihood=likelihood,
        **values,
    )
