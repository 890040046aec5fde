"""The public registers of the sample: excerpts of real ones, and an invented one."""

from random import Random

import pytest

from dashboard.sample import planning_register
from dashboard.sample.registers import EXCERPTS, load_registers
from oegen import audit
from oegen.alerts.models import Alert
from pipelines.registers.models import Edition, Match, Register, RegisterProject
from tests.dashboard.sample.conftest import TODAY

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("registers")]


@pytest.fixture(scope="module")
def registers(sample, django_db_blocker):
    """Loaded beside the portfolio, and removed with it."""
    with django_db_blocker.unblock():
        return load_registers(today=TODAY)


def test_each_register_has_its_editions_of_which_no_row_is_rejected(registers):
    editions = Edition.objects.values_list("register__code", "rejected")
    assert sorted(editions) == [
        ("mastr", 0),
        ("repd", 0),
        ("repd", 0),
        ("sample-planning", 0),
        ("sample-planning", 0),
        ("tec", 0),
    ]
    assert registers["projects of registers"] == RegisterProject.objects.count() > 500


def test_excerpts_are_small_and_name_no_private_individual():
    assert sum(path.stat().st_size for path in EXCERPTS.iterdir()) < 300_000
    assert not RegisterProject.objects.filter(is_private=True).exists()
    assert not RegisterProject.objects.filter(operator="").exists()


@pytest.mark.parametrize("code", ["repd", planning_register.CODE])
def test_something_moved_between_the_editions(code):
    newest = Edition.objects.filter(register__code=code).latest("date")
    for word in ("new", "refused", "built"):
        assert word in newest.summary


def test_no_real_project_is_matched_with_an_invented_one():
    matched = Register.objects.filter(projects__matches__isnull=False).distinct()
    assert [one.code for one in matched] == [planning_register.CODE]
    assert Match.objects.exclude(project=None).count() >= 15
    assert Match.objects.exclude(company=None).count() >= 3


def test_the_invented_register_says_that_it_is():
    register = Register.objects.get(code=planning_register.CODE)
    assert "invented" in register.attribution
    register.full_clean()


def test_the_same_seed_and_day_give_the_same_applications():
    once, again = (planning_register.invent_applications(Random(5), TODAY) for _ in range(2))
    assert once == again


def test_no_edition_of_the_sample_is_told():
    sources = Edition.history.values_list("change_set__source", flat=True)
    assert set(sources) == {audit.Source.SAMPLE}
    assert not Alert.objects.filter(event="register-edition").exists()
