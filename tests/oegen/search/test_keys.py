"""Two records may not have the same name, however it is written; old ones that do still work."""

from contextlib import contextmanager

import pytest
from django.apps import apps
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import IntegrityError, models, transaction

from counterparties.models import Contact, Counterparty
from oegen.core.text import name_key
from oegen.core.triggers import broken_rule
from oegen.models import RecordKey
from oegen.search import keys
from pipelines.models import Technology
from tests.support.builders import make_contact, make_counterparty

pytestmark = pytest.mark.django_db

#: A name, and the same in another form.
SAME = {
    "decomposed": ("Café Wind Ltd", "Cafe\u0301 Wind Ltd"),
    "two spaces": ("Café Wind Ltd", "Café  Wind Ltd"),
    "no-break space": ("Café Wind Ltd", "Café\u00a0Wind Ltd"),
    "zero-width space": ("Café Wind Ltd", "Café\u200b Wind Ltd"),
    "line break": ("Café Wind Ltd", "Café\r\nWind Ltd"),
    "full-width": ("Café Wind Ltd", "Ｃａｆé Wind Ltd"),
    "case": ("Straße Energie", "STRASSE ENERGIE"),
    "sharp s": ("STRASSE ENERGIE", "Straße Energie"),
    "dotted i": ("İstanbul Rüzgâr", "i\u0307stanbul rüzgâr"),
}
DIFFERENT = {
    "accent": ("Müller", "Muller"),
    "short i": ("йога", "иога"),
    "dotless i": ("Işık", "Isik"),
    "apostrophe": ("O'Neil", "O’Neil"),
}


@contextmanager
def refused(says: str):
    with pytest.raises(IntegrityError) as error, transaction.atomic():
        yield
    assert says in broken_rule(error.value)


def put_in_unseen(*names: str) -> list[Counterparty]:
    """Counterparties as an older version let them in."""
    made = models.QuerySet(Counterparty).bulk_create([Counterparty(name=name) for name in names])
    keys.rebuild()
    return made


@pytest.mark.parametrize("case", SAME)
def test_a_name_in_another_form_is_refused_in_forms_and_below_them(case):
    first, second = SAME[case]
    make_counterparty(first)
    with pytest.raises(ValidationError) as error:
        Counterparty(name=second).full_clean()
    assert error.value.message_dict == {
        "name": [f"There is already a counterparty called “{first}”."]
    }
    with refused(f"There is already a counterparty called “{first}”."):
        make_counterparty(second)
    other = make_counterparty("Other")
    with refused("There is already"):
        Counterparty.objects.filter(pk=other.pk).update(name=second)
    with refused("There is already"):
        Counterparty.objects.bulk_create([Counterparty(name=second)])
    other.name = second
    with refused("There is already"):
        other.save()
    with refused("There is already"):
        Counterparty.objects.bulk_create(
            [Counterparty(name="New One"), Counterparty(name="new one")]
        )


@pytest.mark.parametrize("case", DIFFERENT)
def test_names_that_differ_by_accents_are_alike_and_not_the_same(case):
    first, second = DIFFERENT[case]
    one = make_counterparty(first)
    assert not keys.same_name(Counterparty, second).exists()
    assert list(keys.similar_names(Counterparty, second)) == [one]
    assert not keys.similar_names(Counterparty, second, exclude=one.pk).exists()
    assert not keys.similar_names(Counterparty, first).exists()
    make_counterparty(second)


def test_another_name_is_found_by_its_key():
    one = make_counterparty("Nordlys Holding", aliases="Ørsted Søndre\nNH")
    assert list(keys.alias_holders(Counterparty, "ØRSTED  søndre")) == [one]
    assert list(keys.similar_names(Counterparty, "Orsted Sondre")) == [one]
    one.aliases = "NH"
    one.save()
    assert not keys.alias_holders(Counterparty, "Ørsted Søndre").exists()


def test_people_may_share_a_name():
    make_contact("Zoé")
    make_contact("Zoe\u0301")
    assert keys.same_name(Contact, "ZOÉ").count() == 2


def test_words_of_a_vocabulary_may_not_be_the_same():
    Technology.objects.create(code="gezeiten", name="Große Flut", capacity_basis="ac")
    with refused("There is already a technology called “Große Flut”."):
        Technology.objects.create(code="flut", name="GROSSE FLUT", capacity_basis="ac")


def test_a_name_is_free_again_when_its_record_is_renamed_or_removed():
    one = make_counterparty("Larch Power")
    one.name = "Rowan Power"
    one.save()
    make_counterparty("larch power").delete()
    make_counterparty("LARCH POWER")


def test_records_that_share_a_name_from_before_can_be_saved_and_are_listed():
    one, two, three = put_in_unseen("Straße Energie", "STRASSE ENERGIE", "Strasse  Energie")
    (group,) = keys.shared(Counterparty, unique_only=True)
    assert keys.records_of(Counterparty, [group]) == [(group, [one, two, three])]
    for record in (one, two, three):
        record.strategy = "Buy"
        record.full_clean()
        record.save()
    one.delete()
    with refused("There is already"):
        make_counterparty("straße energie")
    two.name = "Straße Energie Süd"
    two.save()
    assert keys.shared(Counterparty) == []
    two.name = "Straße Energie"
    with pytest.raises(ValidationError):
        two.full_clean()


def test_migrating_takes_in_records_without_keys_and_refuses_none():
    made = models.QuerySet(Counterparty).bulk_create(
        [Counterparty(name="Larch"), Counterparty(name="LARCH")]
    )
    RecordKey.objects.all().delete()
    keys.index_missing(sender=apps.get_app_config("oegen"), using="default")
    assert set(keys.same_name(Counterparty, "larch")) == set(made)
    kept = set(RecordKey.objects.values_list("object_id", "kind", "key", "number"))
    call_command("rebuild_search", verbosity=0)
    assert set(RecordKey.objects.values_list("object_id", "kind", "key", "number")) == kept


def test_every_seeded_word_has_its_key():
    for model in keys.keyed_models():
        for record in model.objects.all():
            assert record in keys.same_name(model, record.name)


def test_a_key_fits_into_an_index():
    assert len(name_key("ﷺ" * 200).encode()) < 2500
