"""Each wrong entry is refused with its own sentence, and nothing is saved."""

from datetime import timedelta

import pytest
from django.utils import timezone

from counterparties.models import ContactRole, Counterparty
from infopoints.models import InformationPoint
from pipelines.models import CounterpartyRole, Facility, Pipeline, Stage, Technology
from tests.support.builders import (
    make_contact,
    make_counterparty,
    make_facility,
    make_information_point,
    make_pipeline,
)
from tests.support.desk import errors_of

pytestmark = pytest.mark.django_db


def refused(desk, target, action="change", **changes) -> str:
    """Send the form with the changes; the errors of the page that comes back."""
    counts = {
        model: model.history.count()
        for model in (Counterparty, Facility, Pipeline, InformationPoint)
    }
    data = desk.open(target, action) | changes
    response = desk.send(target, data, action)
    assert response.status_code == 200, "the form was accepted"
    assert counts == {model: model.history.count() for model in counts}
    return errors_of(response)


def test_latitude_999(desk):
    errors = refused(desk, make_facility(), latitude="999", longitude="1")
    assert errors == "latitude: Give a number from -90 to 90 degrees, not 999."


def test_longitude_minus_181(desk):
    errors = refused(desk, make_facility(), latitude="1", longitude="-181")
    assert "longitude: Give a number from -180 to 180 degrees, not -181." in errors


def test_a_facility_with_one_coordinate(desk):
    errors = refused(desk, make_facility(), latitude="51.5")
    assert errors == "longitude: Give the longitude too, or clear the latitude."


def test_a_latitude_with_too_many_decimals_gets_one_sentence(desk):
    errors = refused(desk, make_facility(), latitude="52.12345678", longitude="1.5")
    assert errors == "latitude: Ensure that there are no more than 6 decimal places."


@pytest.mark.parametrize(
    ("field", "typed", "sentence"),
    [
        ("capacity_mw", "1_0", "Give a number, such as 12.5."),
        ("latitude", "5_2", "Give a number, such as 12.5."),
    ],
)
def test_a_number_with_an_underscore(desk, field, typed, sentence):
    assert refused(desk, make_facility(), **{field: typed}) == f"{field}: {sentence}"


def test_a_storage_figure_on_a_wind_farm(desk):
    errors = refused(desk, make_facility(technology="wind"), storage_mwh="40")
    assert errors == (
        "storage_mwh: Wind stores no energy: leave the MWh empty, or choose a storage technology "
        "such as BESS."
    )


def test_a_negative_capacity(desk):
    assert "capacity_mw: Give 0 MW or more, not -5." in refused(
        desk, make_facility(), capacity_mw="-5"
    )


def test_an_empty_name(desk):
    assert (
        refused(desk, make_counterparty(), name="   ") == "name: Give the name: it can't be empty."
    )


def test_a_name_that_differs_by_case_only(desk):
    make_counterparty("Acme Renewables")
    errors = refused(desk, Counterparty, "add", name="ACME renewables ")
    assert errors == "name: There is already a counterparty called “Acme Renewables”."


def test_a_name_that_differs_by_case_only_beyond_ascii(desk):
    make_counterparty("Ørsund Vind")
    assert "“Ørsund Vind”" in refused(desk, Counterparty, "add", name="ØRSUND VIND")


def test_a_country_nobody_knows(desk):
    errors = refused(desk, make_counterparty(), country="Ruritania")
    assert errors.startswith("country: “Ruritania” is no country we know.")


def test_likelihood_101(desk):
    errors = refused(desk, make_information_point(), likelihood="101")
    assert errors == "likelihood: Give a number from 1 to 100, not 101."


def test_impact_0(desk):
    assert "impact: Give a number from 1 to 100, not 0." in refused(
        desk, make_information_point(), impact="0"
    )


def test_a_rag_that_is_no_rag(desk):
    errors = refused(desk, make_pipeline(), rag_status="purple", change_reason="why not")
    assert "rag_status: “purple” is none of Red, Amber and Green: choose one of these." in errors


def test_a_completed_project_with_an_rtb_date_in_the_future(desk):
    future = timezone.localdate() + timedelta(days=40)
    errors = refused(
        desk,
        make_pipeline(),
        stage=str(Stage.objects.get(code="completed").pk),
        rtb_date=future.isoformat(),
        change_reason="done",
    )
    assert "rtb_date: A completed project was ready to build in the past" in errors


def test_a_completed_project_on_hold(desk):
    pipeline = make_pipeline(stage="completed")
    assert "on_hold: A completed project can't be on hold" in refused(
        desk, pipeline, on_hold="on", change_reason="x"
    )


def test_a_commercial_operation_before_ready_to_build(desk):
    errors = refused(
        desk, make_pipeline(), rtb_date="2027-05-01", cod_date="2027-04-01", change_reason="x"
    )
    assert "cod_date: Commercial operation can't come before ready to build" in errors


def test_a_probability_without_its_reason(desk):
    assert "probability_reason: Say why" in refused(desk, make_pipeline(), probability_pct="60")


def test_ownership_above_100(desk):
    assert "ownership_pct: Give a number from 0 to 100 %, not 101." in refused(
        desk, make_pipeline(), ownership_pct="101"
    )


def test_a_status_that_takes_effect_tomorrow(desk):
    tomorrow = timezone.localdate() + timedelta(days=1)
    stage = str(Stage.objects.get(code="procurement").pk)
    day = tomorrow.isoformat()
    errors = refused(desk, make_pipeline(), stage=stage, status_effective_on=day)
    assert "status_effective_on: A change that has taken place can't lie in the future." in errors


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("stage", lambda: str(Stage.objects.get(code="procurement").pk)),
        ("rag_status", lambda: "red"),
        ("rtb_date", lambda: "2031-01-01"),
        ("on_hold", lambda: "on"),
        ("outcome", lambda: "withdrawn"),
    ],
)
def test_a_change_that_matters_needs_a_reason(desk, field, value):
    errors = refused(desk, make_pipeline(rag_status="green"), **{field: value()})
    assert errors.startswith("change_reason: Say why: you changed ")


def test_a_change_of_capacity_needs_a_reason_on_the_facility(desk):
    facility = make_pipeline(capacity_mw=20).facilities.get()
    assert "Say why: you changed Capacity." in refused(desk, facility, capacity_mw="21")


def test_a_change_of_capacity_needs_a_reason_on_the_pipeline(desk):
    pipeline = make_pipeline(capacity_mw=20)
    errors = refused(desk, pipeline, **{"facility_links-0-capacity_mw": "21"})
    assert errors == "Say why in “Reason”: you changed the project's capacity."


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("storage_mwh", lambda: "999"),
        ("technology", lambda: str(Technology.objects.get(code="solar").pk)),
    ],
)
def test_a_change_of_storage_or_technology_needs_a_reason_too(desk, field, value):
    pipeline = make_pipeline(capacity_mw=20, technology="bess")
    facility = pipeline.facilities.get()
    assert "Say why" in refused(desk, pipeline, **{f"facility_links-0-{field}": value()})
    assert "Say why: you changed" in refused(desk, facility, **{field: value()})


def test_confirming_a_rating_that_there_is_not(desk):
    assert "confirm_rag: There is no rating to confirm" in refused(
        desk, make_pipeline(), confirm_rag="on"
    )


def test_an_impact_that_is_no_number(desk):
    assert refused(desk, make_information_point(), impact="big") == (
        "impact: Give a whole number, such as 40."
    )


def test_a_website_that_is_none(desk):
    assert "website: Give a web address, such as https://example.com." in refused(
        desk, make_counterparty(), website="::"
    )


def test_two_lead_developers(desk):
    pipeline = make_pipeline(lead_developer=make_counterparty("Acme"))
    lead = str(pipeline.counterparty_links.get().role_id)
    errors = refused(
        desk,
        pipeline,
        **{
            "counterparty_links-TOTAL_FORMS": "2",
            "counterparty_links-1-new_counterparty": "Blue Ridge",
            "counterparty_links-1-role": lead,
        },
    )
    assert "A pipeline has one Lead developer" in errors


def test_the_same_facility_twice(desk):
    pipeline, battery = make_pipeline(capacity_mw=20), make_facility("Shared battery", "bess")
    first = pipeline.facilities.get()
    errors = refused(
        desk,
        pipeline,
        **{
            "facility_links-TOTAL_FORMS": "4",
            "facility_links-1-facility": str(battery.pk),
            "facility_links-2-facility": str(battery.pk),
            "facility_links-3-facility": str(first.pk),
        },
        change_reason="x",
    )
    assert errors.splitlines() == [
        "__all__: Shared battery is already in row 2: choose another facility, or remove this row.",
        f"__all__: {first} is already in row 1: choose another facility, or remove this row.",
    ]


def test_the_same_counterparty_twice_in_one_role(desk):
    pipeline, acme = make_pipeline(lead_developer=make_counterparty("Blue")), make_counterparty()
    investor = str(CounterpartyRole.objects.get(code="investor").pk)
    rows = {
        "counterparty_links-TOTAL_FORMS": "6",
        "counterparty_links-1-counterparty": str(acme.pk),
        "counterparty_links-2-counterparty": str(acme.pk),
        "counterparty_links-2-role": str(CounterpartyRole.objects.get(code="owner").pk),
        "counterparty_links-3-new_counterparty": acme.name.upper(),
        "counterparty_links-4-new_counterparty": "Elm Energy",
        "counterparty_links-5-new_counterparty": "Elm ENERGY",
    }
    for row in (1, 3, 4, 5):
        rows[f"counterparty_links-{row}-role"] = investor
    right = "choose another counterparty or role, or remove this row."
    assert refused(desk, pipeline, **rows).splitlines() == [
        f"__all__: {acme} as Investor is already in row 2: {right}",
        f"__all__: Elm ENERGY as Investor is already in row 5: {right}",
    ]


def test_a_counterparty_that_somebody_else_added_in_that_role_meanwhile(desk):
    pipeline, acme = make_pipeline(), make_counterparty()
    investor = CounterpartyRole.objects.get(code="investor")
    data = desk.open(pipeline) | {
        "counterparty_links-TOTAL_FORMS": "1",
        "counterparty_links-0-counterparty": str(acme.pk),
        "counterparty_links-0-role": str(investor.pk),
    }
    pipeline.counterparty_links.create(counterparty=acme, role=investor)
    assert errors_of(desk.send(pipeline, data)) == (
        f"__all__: {acme} as Investor was added since you opened this form: choose another "
        "counterparty or role, or remove this row."
    )


def test_the_same_contact_twice_in_one_role_and_the_same_technology_twice(desk):
    ceo = ContactRole.objects.get(code="ceo")
    contact, solar = make_contact("Ann Ash"), Technology.objects.get(code="solar")
    contacts = {"contact_links-TOTAL_FORMS": "2"}
    technologies = {"technology_links-TOTAL_FORMS": "2"}
    for row in (0, 1):
        contacts[f"contact_links-{row}-contact"] = str(contact.pk)
        contacts[f"contact_links-{row}-role"] = str(ceo.pk)
        technologies[f"technology_links-{row}-technology"] = str(solar.pk)
    assert refused(desk, make_counterparty(), **contacts) == (
        "__all__: Ann Ash as CEO is already in row 1: choose another contact or role, or remove "
        "this row."
    )
    assert refused(desk, make_information_point(), **technologies) == (
        "__all__: Solar is already in row 1: choose another technology, or remove this row."
    )


def test_a_new_facility_without_a_technology(desk):
    errors = refused(
        desk,
        make_pipeline(),
        **{"facility_links-TOTAL_FORMS": "1", "facility_links-0-name": "North field"},
        change_reason="x",
    )
    assert errors.startswith("technology: Choose the new facility's technology")


def test_an_existing_facility_described_anew(desk):
    errors = refused(
        desk,
        make_pipeline(),
        **{
            "facility_links-TOTAL_FORMS": "1",
            "facility_links-0-facility": str(make_facility().pk),
            "facility_links-0-technology": str(Technology.objects.get(code="bess").pk),
        },
        change_reason="x",
    )
    assert "facility: Choose an existing facility or describe a new one, not both." in errors


class TestReferenceTables:
    @pytest.fixture
    def office(self, desk, administrator):
        desk.client.force_login(administrator)
        return desk

    def test_a_technology_in_use_for_storage(self, office):
        make_facility(technology="bess", storage_mwh=10)
        data = office.open(Technology.objects.get(code="bess"))
        del data["is_storage"]
        response = office.send(Technology.objects.get(code="bess"), data)
        assert "is_storage: Facilities of this technology have a storage figure" in errors_of(
            response
        )

    def test_a_code_that_is_no_word(self, office):
        errors = refused(office, Technology, "add", name="Wave power", code="wave power")
        right = "letters, digits, hyphens and underscores only, such as offshore-wind"
        assert f"code: Give the code in {right}." in errors

    def test_a_technology_that_is_a_kind_of_itself(self, office):
        solar = Technology.objects.get(code="solar")
        assert "parent: A technology is not a kind of itself" in refused(
            office, solar, parent=str(solar.pk)
        )

    def test_a_third_level_of_technologies(self, office):
        onshore = Technology.objects.get(code="onshore-wind")
        assert "parent: There are two levels" in refused(
            office, Technology.objects.get(code="solar"), parent=str(onshore.pk)
        )

    def test_an_end_of_the_pipeline_with_projects_on_hold(self, office):
        stage = make_pipeline(stage="design", on_hold=True).stage
        errors = refused(office, stage, is_terminal="on")
        assert "is_terminal: Projects are on hold in this stage" in errors
        assert "order: An end of the pipeline comes after every other stage" in errors

    def test_a_name_twice(self, office):
        assert "There is already one of this name" in refused(
            office, Stage.objects.get(code="design"), name="discovery"
        )
