from django.utils import timezone

from oegen import audit
from pipelines.models import Pipeline, StageTransition


def record_stage_transitions(pipelines: list[Pipeline], *, created: bool) -> None:
    """Write a StageTransition for each pipeline whose stage, hold or outcome is not its last one's.

    Effective on the pipeline's ``status_effective_on``, else today.
    """
    latest = {}
    if not created:
        known = StageTransition.objects.filter(pipeline__in=pipelines).order_by("recorded_at")
        for row in known.values_list("pipeline_id", "stage_id", "on_hold", "outcome"):
            latest[row[0]] = row[1:]
    with audit.change_set() as change_set:
        moment = change_set.recorded_at if change_set.back_dated else timezone.now()
        StageTransition.objects.bulk_create(
            StageTransition(
                pipeline=pipeline,
                stage_id=pipeline.stage_id,
                on_hold=pipeline.on_hold,
                outcome=pipeline.outcome,
                effective_on=pipeline.status_effective_on or timezone.localdate(moment),
                recorded_at=moment,
                recorded_by=change_set.person,
            )
            for pipeline in pipelines
            if latest.get(pipeline.pk) != (pipeline.stage_id, pipeline.on_hold, pipeline.outcome)
        )
