"""Random writes by every path, beside a plain model of what should be there afterwards."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from uuid import UUID

import pytest
from django.db import transaction
from django.db.models import ProtectedError
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from oegen import audit
from oegen.audit.integrity import Check
from oegen.audit.revert.restoring import CannotRestoreError, plan_restore, restore
from oegen.audit.revert.undoing import CannotUndoError, undo
from oegen.core.exceptions import StaleRecordError
from oegen.core.text import clean_line
from oegen.models import ChangeSet, Comment
from oegen.people import roles
from pipelines.models import Facility, Pipeline, PipelineFacility, Stage, Technology
from tests.support.builders import make_user

STAGES = ("discovery", "design", "procurement", "construction")

one = st.integers(0, 10**6)
#: As they are kept: what cleaning does to others is the question of tests/oegen/core/test_text.py.
words = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12).map(clean_line)
remarks = words.map(lambda text: clean_line(f"C{text}"))
stages = st.sampled_from(STAGES)


@dataclass
class World:
    """What is there, each kind by its key: pipelines with their comment and stage, facilities with
    their region, links with both ends, comments with their pipeline and text."""

    pipelines: dict[UUID, tuple] = field(default_factory=dict)
    facilities: dict[UUID, str] = field(default_factory=dict)
    links: dict[UUID, tuple] = field(default_factory=dict)
    comments: dict[UUID, tuple] = field(default_factory=dict)

    @classmethod
    def of_the_database(cls) -> World:
        pipelines = Pipeline.objects.values_list("pk", "rag_comment", "stage__code")
        links = PipelineFacility.objects.values_list("pk", "pipeline", "facility")
        comments = Comment.objects.values_list("pk", "object_id", "text")
        return cls(
            pipelines={key: (text, stage) for key, text, stage in pipelines},
            facilities=dict(Facility.objects.values_list("pk", "region")),
            links={key: (pipeline, facility) for key, pipeline, facility in links},
            comments={key: (pipeline, text) for key, pipeline, text in comments},
        )

    def kinds(self) -> tuple[dict, ...]:
        return self.pipelines, self.facilities, self.links, self.comments


class ALotOfWriting(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.atomic = transaction.atomic()
        self.atomic.__enter__()
        self.person = make_user(roles.ADMINISTRATORS)
        self.stage = {stage.code: stage for stage in Stage.objects.all()}
        self.solar = Technology.objects.get(code="solar")
        self.world = World()
        #: The newest version of every record that ever was.
        self.versions: dict[UUID, int] = {}
        #: What each pipeline was at each of its versions.
        self.past: dict[tuple[UUID, int], tuple] = {}
        #: The comments that went with a pipeline.
        self.went: dict[UUID, dict] = {}
        #: The world before the newest change set, while nothing else is known to have happened.
        self.before: World | None = None

    def teardown(self):
        try:
            assert [str(finding) for finding in Check().findings()] == []
            for (key, version), (text, stage) in self.past.items():
                told = Pipeline.history.exclude(history_type="-").get(id=key, version=version)
                assert (told.rag_comment, told.stage.code) == (text, stage)
        finally:
            transaction.set_rollback(True)
            self.atomic.__exit__(None, None, None)

    @invariant()
    def the_database_is_as_expected(self):
        assert World.of_the_database() == self.world
        for model in (Pipeline, Facility, PipelineFacility, Comment):
            for key, version in model.objects.values_list("pk", "version"):
                assert version == self.versions[key]

    # What is expected -----------------------------------------------------------------------------

    def becomes(self, world: World) -> None:
        """Expect this world after a change set; each record that differs has its next version."""
        self.before, old = self.world, self.world
        self.world = world
        for now, then in zip(world.kinds(), old.kinds(), strict=True):
            for key, values in now.items():
                if then.get(key) != values:
                    self.versions[key] = self.versions.get(key, 0) + 1
        self.remember()

    def remember(self):
        for key, values in self.world.pipelines.items():
            self.past[key, self.versions[key]] = values

    def links_of(self, key) -> dict:
        return {link: ends for link, ends in self.world.links.items() if ends[0] == key}

    def comments_on(self, key) -> dict:
        return {one: said for one, said in self.world.comments.items() if said[0] == key}

    def next_world(self) -> World:
        return copy.deepcopy(self.world)

    @staticmethod
    def pick(records: dict, number: int):
        return list(records)[number % len(records)]

    def written_again(self, key):
        """It was written, whether or not its values differ."""
        self.versions[key] += 1
        self.remember()

    # Pipelines ------------------------------------------------------------------------------------

    @rule(
        text=words, stage=stages, way=st.sampled_from(["save", "create", "bulk", "get", "update"])
    )
    def add_a_pipeline(self, text, stage, way):
        values = {"project_name": "P", "rag_comment": text, "stage": self.stage[stage]}
        pipeline = Pipeline(**values)
        if way == "save":
            pipeline.save()
        elif way == "create":
            pipeline = Pipeline.objects.create(**values)
        elif way == "bulk":
            Pipeline.objects.bulk_create([pipeline])
        elif way == "get":
            Pipeline.objects.get_or_create(pk=pipeline.pk, defaults=values)
        else:
            Pipeline.objects.update_or_create(pk=pipeline.pk, defaults=values)
        world = self.next_world()
        world.pipelines[pipeline.pk] = text, stage
        self.becomes(world)

    @precondition(lambda self: self.world.pipelines)
    @rule(
        number=one,
        text=words,
        stage=stages,
        way=st.sampled_from(["save", "fields", "update", "bulk", "update_or_create", "reverse"]),
    )
    def change_a_pipeline(self, number, text, stage, way):
        key = self.pick(self.world.pipelines, number)
        pipeline = Pipeline.objects.get(pk=key)
        values = {"rag_comment": text, "stage": self.stage[stage]}
        expected = text, stage
        if way == "update":
            Pipeline.objects.filter(pk=key).update(**values)
        elif way == "update_or_create":
            Pipeline.objects.update_or_create(pk=key, defaults=values)
        elif way == "reverse":
            self.stage[stage].pipelines.add(pipeline)
            expected = pipeline.rag_comment, stage
        else:
            pipeline.rag_comment, pipeline.stage = text, self.stage[stage]
            if way == "save":
                pipeline.save()
            elif way == "bulk":
                Pipeline.objects.bulk_update([pipeline], ["rag_comment", "stage"])
            else:
                pipeline.save(update_fields=["rag_comment"])
                expected = text, self.world.pipelines[key][1]
        world = self.next_world()
        world.pipelines[key] = expected
        is_same = world == self.world
        self.becomes(world)
        if is_same:
            self.written_again(key)

    @precondition(lambda self: self.world.pipelines)
    @rule(number=one, by_queryset=st.booleans())
    def remove_a_pipeline(self, number, by_queryset):
        key = self.pick(self.world.pipelines, number)
        if by_queryset:
            Pipeline.objects.filter(pk=key).delete()
        else:
            Pipeline.objects.get(pk=key).delete()
        world = self.next_world()
        del world.pipelines[key]
        for link in self.links_of(key):
            del world.links[link]
        self.went[key] = self.comments_on(key)
        for comment in self.went[key]:
            del world.comments[comment]
        self.becomes(world)

    @precondition(lambda self: len(self.world.pipelines) > 1)
    @rule(text=words)
    def change_all_pipelines(self, text):
        Pipeline.objects.update(rag_comment=text)
        self.before = None
        for key, (_, stage) in self.world.pipelines.items():
            self.world.pipelines[key] = text, stage
            self.versions[key] += 1
        self.remember()

    # Facilities, links, comments ------------------------------------------------------------------

    @rule(region=words)
    def add_a_facility(self, region):
        facility = Facility.objects.create(name="F", technology=self.solar, region=region)
        world = self.next_world()
        world.facilities[facility.pk] = region
        self.becomes(world)

    @precondition(lambda self: self.world.facilities)
    @rule(number=one)
    def remove_a_facility(self, number):
        key = self.pick(self.world.facilities, number)
        if key in {facility for _, facility in self.world.links.values()}:
            with pytest.raises(ProtectedError), transaction.atomic():
                Facility.objects.get(pk=key).delete()
            return
        Facility.objects.filter(pk=key).delete()
        world = self.next_world()
        del world.facilities[key]
        self.becomes(world)

    @precondition(lambda self: self.world.facilities and self.world.pipelines)
    @rule(number=one, other=one, way=st.sampled_from(["add", "create", "bulk"]))
    def link(self, number, other, way):
        pipeline = self.pick(self.world.pipelines, number)
        facility = self.pick(self.world.facilities, other)
        if (pipeline, facility) in self.world.links.values():
            return
        link = PipelineFacility(pipeline_id=pipeline, facility_id=facility)
        if way == "add":
            Pipeline(pk=pipeline).facilities.add(facility)
            link = PipelineFacility.objects.get(pipeline=pipeline, facility=facility)
        elif way == "create":
            link.save()
        else:
            PipelineFacility.objects.bulk_create([link])
        world = self.next_world()
        world.links[link.pk] = pipeline, facility
        self.becomes(world)

    @precondition(lambda self: self.world.links)
    @rule(number=one, way=st.sampled_from(["delete", "remove", "clear", "set"]))
    def unlink(self, number, way):
        key = self.pick(self.world.links, number)
        pipeline, facility = self.world.links[key]
        gone = [key]
        if way == "delete":
            PipelineFacility.objects.get(pk=key).delete()
        elif way == "remove":
            Facility(pk=facility).pipelines.remove(pipeline)
        else:
            gone = list(self.links_of(pipeline))
            facilities = Pipeline(pk=pipeline).facilities
            facilities.clear() if way == "clear" else facilities.set([])
        world = self.next_world()
        for link in gone:
            del world.links[link]
        self.becomes(world)

    @precondition(lambda self: self.world.pipelines)
    @rule(number=one, text=remarks)
    def comment(self, number, text):
        pipeline = self.pick(self.world.pipelines, number)
        comment = Pipeline.objects.get(pk=pipeline).comments.create(text=text)
        world = self.next_world()
        world.comments[comment.pk] = pipeline, text
        self.becomes(world)

    @precondition(lambda self: self.world.comments)
    @rule(number=one)
    def remove_a_comment(self, number):
        key = self.pick(self.world.comments, number)
        Comment.objects.get(pk=key).delete()
        world = self.next_world()
        del world.comments[key]
        self.becomes(world)

    # What must leave nothing ----------------------------------------------------------------------

    @precondition(lambda self: self.world.pipelines)
    @rule(number=one, inside=st.booleans())
    def fail_after_writing(self, number, inside):
        key = self.pick(self.world.pipelines, number)
        with audit.change_set():
            with pytest.raises(ZeroDivisionError), audit.change_set():
                Facility.objects.create(name="F", technology=self.solar)
                Pipeline.objects.update(rag_comment="never")
                Pipeline.objects.get(pk=key).comments.create(text="never")
                Pipeline.objects.get(pk=key).delete()
                raise ZeroDivisionError
            if inside:
                Pipeline.objects.filter(pk=key).update(rag_comment="kept")
        if inside:
            world = self.next_world()
            world.pipelines[key] = "kept", world.pipelines[key][1]
            is_same = world == self.world
            self.becomes(world)
            if is_same:
                self.written_again(key)

    @precondition(lambda self: self.world.pipelines)
    @rule(number=one, removes=st.booleans())
    def a_stale_writer(self, number, removes):
        key = self.pick(self.world.pipelines, number)
        mine, theirs = Pipeline.objects.get(pk=key), Pipeline.objects.get(pk=key)
        theirs.save()
        with pytest.raises(StaleRecordError):
            mine.delete() if removes else mine.save()
        self.before = self.world
        self.written_again(key)

    @precondition(lambda self: self.world.pipelines)
    @rule(number=one, text=remarks)
    def much_in_one_change_set(self, number, text):
        key = self.pick(self.world.pipelines, number)
        world = self.next_world()
        with audit.change_set(reason="Much"):
            facility = Facility.objects.create(name="F", technology=self.solar)
            link = PipelineFacility.objects.create(pipeline_id=key, facility=facility)
            comment = Pipeline.objects.get(pk=key).comments.create(text=text)
        world.facilities[facility.pk] = ""
        world.links[link.pk] = key, facility.pk
        world.comments[comment.pk] = key, text
        self.becomes(world)

    # Going back -----------------------------------------------------------------------------------

    @precondition(lambda self: self.past)
    @rule(number=one)
    def restore_a_pipeline(self, number):
        key, version = self.pick(self.past, number)
        entry = Pipeline.history.exclude(history_type="-").get(id=key, version=version)
        world = self.next_world()
        world.pipelines[key] = self.past[key, version]
        if key not in self.world.pipelines:
            world.comments |= self.went[key]
        links = {link.id: (key, link.facility_id) for link in self.links_at(key, entry)}
        for link in self.links_of(key):
            del world.links[link]
        world.links |= links
        fits = {facility for _, facility in links.values()} <= set(world.facilities)
        plan = plan_restore(model=Pipeline, key=key, history_id=entry.pk)
        go = {"model": Pipeline, "key": key, "history_id": entry.pk, "version": plan.version}
        if fits and world != self.world:
            restore(**go, reason="Back", person=self.person)
            self.becomes(world)
        else:
            with pytest.raises(CannotRestoreError):
                restore(**go, reason="Back", person=self.person)

    @staticmethod
    def links_at(key, entry):
        """The links at the end of the change set of an entry, by their numbers."""
        newest = {}
        until = entry.change_set.number
        rows = PipelineFacility.history.filter(pipeline=key, change_set__number__lte=until)
        for row in rows.order_by("history_id"):
            newest[row.id] = row
        return [row for row in newest.values() if row.history_type != "-"]

    @precondition(lambda self: self.before is not None)
    @rule()
    def undo_the_newest(self):
        newest, before = ChangeSet.objects.latest("number"), self.before
        if before == self.world:
            with pytest.raises(CannotUndoError):
                undo(change_set=newest, reason="Wrong", person=self.person)
            return
        undo(change_set=newest, reason="Wrong", person=self.person)
        for key in set(self.world.pipelines) - set(before.pipelines):
            self.went[key] = self.comments_on(key)
        self.becomes(before)

    @precondition(lambda self: self.versions)
    @rule(number=one)
    def undo_an_older_one(self, number):
        """What comes of it depends on what happened since: whatever it is, its history holds."""
        made = ChangeSet.objects.exclude(source="migration").order_by("number")
        change_set = made[number % made.count()]
        try:
            undo(change_set=change_set, reason="Wrong", person=self.person)
        except CannotUndoError:
            return
        world = World.of_the_database()
        for key in set(self.world.pipelines) - set(world.pipelines):
            self.went[key] = self.comments_on(key)
        self.becomes(world)
        self.before = None


@pytest.mark.django_db
def test_a_random_run_is_what_it_should_be_and_nothing_is_found(is_full):
    run_state_machine_as_test(
        ALotOfWriting,
        settings=settings(
            max_examples=15 if is_full else 4,
            stateful_step_count=25,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
