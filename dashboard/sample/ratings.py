from __future__ import annotations

from random import Random

from dashboard.sample import sentences
from dashboard.sample.plans import Plan
from dashboard.sample.sentences import COMPLETED, CONSTRUCTION, Issue
from pipelines.choices import RAG


class Rating:
    """The RAG of one project and the issue behind it.

    Its methods return the fields of the pipeline to change, none if the rating stays.
    """

    def __init__(self, rng: Random, plan: Plan):
        self._rng = rng
        self._plan = plan
        self._rag = ""
        self._issue: Issue | None = None

    @property
    def is_kept(self) -> bool:
        return self._plan.trait != "no rating"

    def issue(self, stage: int) -> Issue:
        """The present trouble, or the next one."""
        return self._issue or self._new_issue(stage)

    def first(self, stage: int) -> dict[str, str]:
        draw = self._rng.random()
        if not self.is_kept or (draw > 0.93 and stage < CONSTRUCTION):
            return {}
        if stage == COMPLETED or (draw < 0.68 and self._plan.trait != "overdue"):
            return self._on_track(stage)
        issue = self._new_issue(stage)
        return self._set(RAG.AMBER, issue.amber, issue)

    def after_move(self, stage: int) -> dict[str, str]:
        """A move ends the troubles of the stages before, and all of them at completion."""
        if stage == COMPLETED or (self._issue is None and self._rag == RAG.GREEN):
            return self._on_track(stage)
        if self._issue is None or stage in self._issue.stages:
            return {}
        if self._plan.trait == "overdue":
            issue = self._new_issue(stage)
            return self._set(RAG.AMBER, issue.amber, issue)
        return self._set(RAG.GREEN, self._issue.resolved, None)

    def after_slip(self, issue: Issue) -> dict[str, str]:
        """A later date turns a green project amber."""
        return self._set(RAG.AMBER, issue.amber, issue) if self._rag == RAG.GREEN else {}

    def swing(self, stage: int) -> tuple[str, dict[str, str]]:
        """The reason for a new rating, and the rating."""
        before, draw, issue = self._rag, self._rng.random(), self.issue(stage)
        if not before and draw < 0.5:
            return "First rating", self._on_track(stage)
        if before in ("", RAG.GREEN):
            rag, comment = (RAG.AMBER, issue.amber) if draw < 0.8 else (RAG.RED, issue.red)
        elif before == RAG.RED:
            rag, comment = RAG.AMBER, issue.easing
        elif draw < 0.3 or self._plan.trait == "overdue":
            rag, comment = RAG.RED, issue.red
        else:
            rag, comment = RAG.GREEN, issue.resolved
        reason = "First rating"
        if before:
            is_better = RAG.values.index(rag) > RAG.values.index(before)
            reason = f"{issue.topic} looks {'better' if is_better else 'worse'}"
        return reason, self._set(rag, comment, None if rag == RAG.GREEN else issue)

    def _on_track(self, stage: int) -> dict[str, str]:
        return self._set(RAG.GREEN, self._rng.choice(sentences.GREEN[stage]), None)

    def _set(self, rag: RAG, comment: str, issue: Issue | None) -> dict[str, str]:
        self._rag, self._issue = rag.value, issue
        return {"rag_status": rag.value, "rag_comment": comment}

    def _new_issue(self, stage: int) -> Issue:
        technology = self._plan.technologies[0]
        return self._rng.choice(
            [
                issue
                for issue in sentences.ISSUES
                if stage in issue.stages
                and (not issue.technologies or technology in issue.technologies)
            ]
        )
