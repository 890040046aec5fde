"""Changing pipelines, one or several together."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.text import Truncator

from oegen import audit
from oegen.audit import questions
from oegen.core.exceptions import StaleRecordError
from oegen.core.fields import REASON_LIMIT
from oegen.models import ChangeSet, User
from pipelines.models import Pipeline
from pipelines.services.moving import NotMovableError
from pipelines.services.undoing import Edit, lock

#: The reason of a confirmation.
STILL_RIGHT = "Still right"


class NothingToConfirmError(Exception):
    """The pipeline has no rating. The message is shown to users."""


@transaction.atomic
def edit_pipeline(
    *,
    pipeline_id: UUID,
    version: int,
    values: Mapping[str, Any],
    reason: str,
    person: User,
    save_anyway: Collection[str] = (),
) -> Edit:
    """Set fields of a pipeline, by name. ``save_anyway`` has the keys of the questions that the
    user confirmed.

    Raises StaleRecordError when ``version`` is no longer the pipeline's, and ValidationError by
    field for values that the rules refuse and for questions that are not answered.
    """
    pipeline = lock(pipeline_id)
    if pipeline is None:
        raise ValidationError({NON_FIELD_ERRORS: "Somebody removed it while you had it open."})
    if pipeline.version != version:
        pipeline.version = version
        raise StaleRecordError(pipeline)
    changed = [name for name, value in values.items() if getattr(pipeline, name) != value]
    if not changed:
        raise ValidationError({NON_FIELD_ERRORS: "Nothing is different from what was there."})
    for name in changed:
        setattr(pipeline, name, values[name])
    pipeline.full_clean()
    answered = questions.require_answers(pipeline, changed=set(changed), answers=save_anyway)
    reason = Truncator(reason).chars(REASON_LIMIT)
    with audit.change_set(person=person, reason=reason, source=audit.Source.PAGE) as change_set:
        pipeline.save()
        questions.record_answers(pipeline, answered)
    return Edit(pipeline, change_set, _edited(pipeline, changed))


@dataclass(frozen=True)
class Together:
    """The pipelines that ``edit_together`` saved, in one change set, and the others by name, with
    the reason why they were left as they are."""

    saved: tuple[Pipeline, ...]
    left_out: tuple[tuple[str, str], ...]
    change_set: ChangeSet | None


def plan_together(
    pipelines: Iterable[Pipeline], change: Callable[[Pipeline], set[str]]
) -> tuple[list[Pipeline], list[tuple[str, str]]]:
    """Apply ``change``, which returns the names of the fields that it sets, to each pipeline,
    without saving: those that can be saved, and the names of the others with the reason."""
    planned, left_out = [], []
    for pipeline in pipelines:
        try:
            written = change(pipeline)
            pipeline.full_clean()
            questions.require_answers(pipeline, changed=written, answers=())
        except (NotMovableError, NothingToConfirmError) as error:
            left_out.append((str(pipeline), str(error)))
        except ValidationError as error:
            left_out.append((str(pipeline), " ".join(error.messages)))
        else:
            planned.append(pipeline)
    return planned, left_out


@transaction.atomic
def edit_together(
    *,
    versions: Mapping[UUID, int],
    change: Callable[[Pipeline], set[str]],
    reason: str,
    person: User,
) -> Together:
    """Change the pipelines whose version is still the one given, by key. The others, and those that
    the rules refuse, are left as they are; so are those with a question, which is asked where one
    pipeline is changed alone."""
    locked = Pipeline.objects.select_for_update(no_key=True).filter(pk__in=versions).order_by("pk")
    current, left_out = [], []
    for pipeline in locked:
        if pipeline.version == versions[pipeline.pk]:
            current.append(pipeline)
        else:
            left_out.append((str(pipeline), "Somebody changed it meanwhile."))
    planned, refused = plan_together(current, change)
    change_set = None
    if planned:
        source = audit.Source.PAGE
        with (
            audit.change_set(person=person, reason=reason, source=source) as change_set,
            audit.saves_together(),
        ):
            for pipeline in planned:
                pipeline.save()
    return Together(tuple(planned), (*left_out, *refused), change_set)


def _edited(pipeline: Pipeline, changed: Collection[str]) -> str:
    if "rag_status" in changed:
        rating = pipeline.get_rag_status_display() or "not rated"
        return f"{pipeline} is {rating.lower()}."
    if "rtb_date" in changed:
        day = date_format(pipeline.rtb_date) if pipeline.rtb_date else "empty"
        return f"The RTB date of {pipeline} is {day}."
    if "responsible" in changed:
        return f"{pipeline.responsible or 'Nobody'} is responsible for {pipeline}."
    return f"{pipeline} is saved."


def confirm_rag(*, key: UUID, version: int, person: User) -> None:
    """Confirm the RAG rating and its comment.

    Raises StaleRecordError when ``version`` is no longer the pipeline's, and NothingToConfirmError
    if it has no rating.
    """
    with audit.change_set(person=person, reason=STILL_RIGHT):
        pipeline = Pipeline.objects.order_by().select_for_update(no_key=True).get(pk=key)
        if pipeline.version != version:
            raise StaleRecordError(pipeline)
        set_confirmed(pipeline)
        pipeline.save()


def set_confirmed(pipeline: Pipeline) -> set[str]:
    """Confirm the rating, without saving. Raises NothingToConfirmError."""
    if not pipeline.rag_status:
        raise NothingToConfirmError("There is no rating to confirm: choose one instead.")
    pipeline.rag_confirmed_at = timezone.now()
    return {"rag_confirmed_at"}
