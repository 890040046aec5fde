"""What is written through a relation, from either end, or goes with its owner, leaves history.

The relations are those that the models have: none can be forgotten.
"""

import pytest
from django.db import models

from oegen import audit
from oegen.models import AuditedModel, Comment
from tests.support.builders import make_user
from tests.support.tracked import (
    MODELS,
    a_new_one,
    a_record,
    a_removable_one,
    all_recorded,
    label,
    nothing_written,
    values_of,
)

pytestmark = [pytest.mark.usefixtures("portfolio"), pytest.mark.django_db]


def models_that(have):
    return pytest.mark.parametrize("model", [one for one in MODELS if have(one)], ids=label)


@pytest.fixture
def holds(part, sealing_fails):
    """A write leaves nothing when it fails, and its history when it does not."""
    person = make_user()

    def holds(name, write, /, *args, **kwargs):
        def change_is_recorded():
            with audit.change_set(person=person, reason="Why", source=audit.Source.COMMAND):
                write(*args, **kwargs)

        with part(name):
            with nothing_written(), sealing_fails():
                change_is_recorded()
            with all_recorded(person=person, source=audit.Source.COMMAND, reason="Why"):
                change_is_recorded()

    return holds


@pytest.fixture(autouse=True)
def nothing_found_afterwards(findings):
    yield
    assert findings() == []


def many_to_many(model):
    """The name by which the model's records reach others through a link model, the others' model,
    the link model and its foreign key to the others. Both ends of each relation."""
    for field in model._meta.many_to_many:
        link = field.remote_field.through
        yield field.name, field.related_model, link, field.m2m_reverse_field_name()
    for relation in model._meta.related_objects:
        if relation.many_to_many:
            name, field = relation.get_accessor_name(), relation.field
            yield name, relation.related_model, relation.through, field.m2m_field_name()


def the_rest(link, *fixed) -> dict:
    """What a new link says besides what it ties together, such as a role."""
    left_out = {*fixed, *link.BOOKKEEPING}
    return {
        name: value for name, value in values_of(a_new_one(link)).items() if name not in left_out
    }


@pytest.mark.heavy
@models_that(have=lambda model: [*many_to_many(model)])
def test_many_to_many_by_add_create_set_remove_and_clear(model, holds):
    for name, other_model, link, to_other in many_to_many(model):
        to_me = next(
            field.name
            for field in link._meta.concrete_fields
            if field.many_to_one and field.related_model is model and field.name != to_other
        )
        mine = getattr(a_record(link), to_me)
        others = getattr(mine, name)

        one, two, three = (a_removable_one(other_model) for _ in range(3))
        created, through_values = values_of(a_new_one(other_model)), the_rest(link, to_me, to_other)
        holds(f"{name}.add", others.add, one, two, through_defaults=through_values)
        holds(f"{name}.create", others.create, **created, through_defaults=through_values)
        holds(f"{name}.remove", others.remove, one)
        holds(f"{name}.set", others.set, [two, three], through_defaults=through_values)
        assert set(others.all()) == {two, three}
        holds(f"{name}.clear", others.clear)
        assert not others.exists()


def children_of(model):
    """The relations by which audited records belong to the model's."""
    for relation in model._meta.related_objects:
        known = issubclass(relation.related_model, AuditedModel)
        if known and not (relation.many_to_many or relation.hidden):
            yield relation


@pytest.mark.heavy
@models_that(have=lambda model: [*children_of(model)])
def test_foreign_keys_from_their_other_end(model, holds):
    for relation in children_of(model):
        name, child = relation.get_accessor_name(), relation.related_model
        first, second, third = (getattr(a_removable_one(model), name) for _ in range(3))
        one, two = a_removable_one(child), a_removable_one(child)
        three = the_rest(child, relation.field.name)
        holds(f"{name}.add", first.add, one)
        holds(f"{name}.set", second.set, [two])
        holds(f"{name}.create", third.create, **three)
        assert first.contains(one)
        assert second.contains(two)
        if relation.field.null:
            holds(f"{name}.remove", first.remove, first.get())
            holds(f"{name}.clear", second.clear)


@models_that(have=lambda model: hasattr(model, "comments"))
def test_comments_from_the_record_they_are_on(model, holds):
    comments = a_removable_one(model).comments
    moved = a_removable_one(Comment)
    holds("create", comments.create, text="First")
    holds("add", comments.add, moved)
    holds("remove", comments.remove, moved)
    holds("set", comments.set, [a_removable_one(Comment)])
    holds("clear", comments.clear)
    assert not comments.exists()


def goes_with(model):
    """The link models, and their foreign keys, whose rows go with the model's records."""
    for link, name in model.link_models():
        if link._meta.get_field(name).remote_field.on_delete is models.CASCADE:
            yield link, name


@models_that(have=lambda model: [*goes_with(model)] or hasattr(model, "comments"))
def test_what_goes_with_its_owner(model, holds):
    goes = list(goes_with(model))

    def with_all_that_goes():
        owner = a_removable_one(model)
        for link, name in goes:
            part = a_new_one(link)
            setattr(part, name, owner)
            part.save()
        if hasattr(model, "comments"):
            Comment.objects.create(subject=owner, text="It goes too")
        return model.objects.get(pk=owner.pk)

    one, two, three = with_all_that_goes(), with_all_that_goes(), with_all_that_goes()
    holds("delete", lambda: model.objects.get(pk=one.pk).delete())
    holds("delete by queryset", model.objects.filter(pk__in=[two.pk, three.pk]).delete)
    for link, name in goes:
        assert not link.objects.filter(**{f"{name}__in": [one.pk, two.pk, three.pk]}).exists()
        change_is_recorded = link.history.filter(**{f"{name}__in": [one.pk, two.pk, three.pk]})
        assert set(change_is_recorded.values_list("history_type", flat=True)) == {"+", "-"}


def test_every_many_to_many_field_goes_through_a_model_with_history():
    throughs = {
        field.remote_field.through for model in MODELS for field in model._meta.many_to_many
    }
    assert throughs
    assert throughs <= set(MODELS)
