"""A company's numbers in registers: their form, and that no two companies have the same."""

import re

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import IntegrityError, models, transaction

from counterparties.models import Counterparty
from oegen.search import keys
from tests.support.builders import make_counterparty

pytestmark = pytest.mark.django_db

LEI = "213800WSGIIZCXF1P572"


def put_in_unseen(**values) -> Counterparty:
    """A counterparty as an older version let it in."""
    made = Counterparty(**values)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Counterparty, "clean_text_fields", lambda self, names=None: None)
        patch.setattr(keys, "index", lambda *args, **kwargs: None)
        made.save()
    keys.rebuild()
    return made


@pytest.mark.parametrize("typed", [LEI, LEI.lower(), f" {LEI[:4]} {LEI[4:]} "])
def test_an_lei_is_kept_in_capitals(typed):
    made = Counterparty(name="Larch", lei=typed)
    made.full_clean()
    made.save()
    assert made.lei == LEI


@pytest.mark.parametrize(
    ("lei", "says"),
    {
        LEI[:-1] + "3": "check digits",
        LEI.replace("WS", "SW"): "check digits",
        LEI[:-1]: "20 in all",
        LEI[:-2] + "AB": "20 in all",
    }.items(),
)
def test_a_wrong_lei_is_refused(lei, says):
    with pytest.raises(ValidationError) as error:
        Counterparty(name="Larch", lei=lei).full_clean()
    assert list(error.value.message_dict) == ["lei"]
    assert len(error.value.messages) == 1
    assert says in error.value.messages[0]
    with pytest.raises(IntegrityError, match=says), transaction.atomic():
        make_counterparty(lei=lei)


@pytest.mark.parametrize(
    ("field", "one", "other"),
    [
        ("lei", {"lei": LEI}, {"lei": LEI.lower()}),
        (
            "company_number",
            {"country": "GB", "company_number": "09876543"},
            {"country": "GB", "company_number": "987 6543"},
        ),
    ],
)
def test_two_counterparties_can_t_have_one_number(field, one, other):
    make_counterparty("Larch", **one)
    with pytest.raises(ValidationError) as error:
        Counterparty(name="Rowan", **other).full_clean()
    assert list(error.value.message_dict) == [field]
    assert error.value.messages[0].startswith("Larch has this")
    with pytest.raises(IntegrityError, match="Larch has this"), transaction.atomic():
        make_counterparty(**other)


def test_a_number_is_one_of_its_country():
    for country in ("GB", "DE", "", ""):
        make_counterparty(country=country, company_number="123")


def test_wrong_and_double_numbers_from_before_stand_in_nobody_s_way_and_are_remarked(capsys):
    double = {"lei": LEI, "country": "GB", "company_number": "123"}
    wrong = put_in_unseen(name="Larch", lei="213800WSGIIZCXF1P573")
    for record in (wrong, put_in_unseen(name="A", **double), put_in_unseen(name="B", **double)):
        record.strategy = "Buy"
        record.full_clean()
        record.save()
    (group,) = keys.shared(Counterparty, unique_only=True)
    assert sorted(group.kinds) == ["company number", "lei"]
    assert models.QuerySet(Counterparty).filter(lei=wrong.lei).exists()
    call_command("audit_check")
    output = capsys.readouterr().out
    assert f"Remark: Counterparty “Larch” ({wrong.pk}), LEI: The check digits" in output
    assert re.search("Remark: Counterparties have the same [^:]*: “A” .* and “B” ", output)
    assert output.count("Remark:") == 2
