"""Entry in the admin: what is sent is saved, in one change set, with person and reason."""

import re
from datetime import UTC, date, datetime

import pytest
from django.core.exceptions import ValidationError

from counterparties.models import Contact, ContactRole, Counterparty
from oegen import audit
from oegen.models import AlertRule, ChangeSet, Comment
from pipelines.models import CounterpartyRole, Facility, Pipeline, Stage, Technology
from tests.support.builders import make_contact, make_counterparty, make_facility, make_pipeline
from tests.support.desk import errors_of

pytestmark = pytest.mark.django_db


def test_a_new_pipeline_with_a_new_facility_and_a_new_counterparty_in_one_form(
    desk, portfolio_manager
):
    data = desk.open(Pipeline, "add") | {
        "project_name": "Kettleby Solar",
        "stage": str(Stage.objects.get(code="design").pk),
        "facility_links-TOTAL_FORMS": "1",
        "facility_links-0-technology": str(Technology.objects.get(code="solar").pk),
        "facility_links-0-capacity_mw": "49.9",
        "facility_links-0-latitude": "52.77",
        "facility_links-0-longitude": "-0.92",
        "facility_links-0-country": "united kingdom",
        "facility_links-0-region": "Leicestershire",
        "counterparty_links-TOTAL_FORMS": "1",
        "counterparty_links-0-new_counterparty": "Acme Renewables",
        "counterparty_links-0-role": str(CounterpartyRole.objects.get(code="lead-developer").pk),
        "change_reason": "Signed the option",
        "new_comment": "Landowner is keen.",
    }
    earlier = list(ChangeSet.objects.values_list("pk", flat=True))
    response = desk.send(Pipeline, data, "add")
    assert response.status_code == 302
    pipeline = Pipeline.objects.get()
    facility = pipeline.facilities.get()
    assert (facility.name, str(facility.capacity_mw)) == ("Kettleby Solar", "49.900")
    assert (facility.country, facility.region) == ("GB", "Leicestershire")
    assert pipeline.counterparties.get().name == "Acme Renewables"
    assert pipeline.transitions.get().recorded_by == portfolio_manager
    assert Comment.objects.get().author == portfolio_manager
    change_set = ChangeSet.objects.exclude(pk__in=earlier).get()
    assert (change_set.person, change_set.reason) == (portfolio_manager, "Signed the option")
    for row in (pipeline.history.get(), facility.history.get(), Comment.history.get()):
        assert row.change_set == change_set
        assert row.history_user == portfolio_manager
        assert row.history_change_reason == "Signed the option"


def test_a_stage_can_be_back_dated(desk):
    with audit.change_set(recorded_at=datetime(2025, 3, 1, tzinfo=UTC)):
        pipeline = make_pipeline(stage="design")
    data = desk.open(pipeline) | {
        "stage": str(Stage.objects.get(code="procurement").pk),
        "status_effective_on": "2026-01-15",
        "change_reason": "Consent granted",
    }
    assert desk.send(pipeline, data).status_code == 302
    newest = pipeline.transitions.first()
    assert (newest.stage.code, newest.effective_on.isoformat()) == ("procurement", "2026-01-15")


def test_saving_without_a_change_writes_no_history(desk):
    pipeline = make_pipeline(capacity_mw=10, lead_developer=make_counterparty())
    sets = ChangeSet.objects.count()
    assert desk.send(pipeline, desk.open(pipeline)).status_code == 302
    assert pipeline.history.count() == 1
    assert pipeline.facility_links.get().history.count() == 1
    assert pipeline.facilities.get().history.count() == 1
    assert ChangeSet.objects.count() == sets


def test_capacity_is_corrected_on_the_pipelines_own_page(desk):
    pipeline = make_pipeline(capacity_mw=20)
    data = desk.open(pipeline) | {
        "facility_links-0-capacity_mw": "22.5",
        "change_reason": "Redesign",
    }
    assert desk.send(pipeline, data).status_code == 302
    facility = pipeline.facilities.get()
    assert str(facility.capacity_mw) == "22.500"
    assert facility.history.first().history_change_reason == "Redesign"


def test_an_existing_facility_is_linked(desk):
    pipeline, facility = make_pipeline(), make_facility("Shared substation", "bess")
    data = desk.open(pipeline) | {
        "facility_links-TOTAL_FORMS": "1",
        "facility_links-0-facility": str(facility.pk),
        "change_reason": "Shares the battery",
    }
    assert desk.send(pipeline, data).status_code == 302
    assert pipeline.facilities.get() == facility
    assert Facility.objects.count() == 1


@pytest.mark.parametrize("typed", ["ACME", "A\u200bcme", "acme\u00a0"])
def test_the_name_of_a_counterparty_that_exists_is_not_made_twice(desk, typed):
    acme, pipeline = make_counterparty("Acme"), make_pipeline()
    data = desk.open(pipeline) | {
        "counterparty_links-TOTAL_FORMS": "1",
        "counterparty_links-0-new_counterparty": typed,
        "counterparty_links-0-role": str(CounterpartyRole.objects.get(code="investor").pk),
    }
    assert desk.send(pipeline, data).status_code == 302
    assert pipeline.counterparties.get() == acme
    assert Counterparty.objects.count() == 1


def test_another_name_of_a_counterparty_makes_no_other_one_unasked(desk):
    make_counterparty("Nordlys Holding", aliases="Ørsted Søndre")
    pipeline = make_pipeline()
    data = desk.open(pipeline) | {
        "counterparty_links-TOTAL_FORMS": "1",
        "counterparty_links-0-new_counterparty": "ørsted  søndre",
        "counterparty_links-0-role": str(CounterpartyRole.objects.get(code="investor").pk),
    }
    response = desk.send(pipeline, data)
    assert "is another name of “Nordlys Holding”" in errors_of(response)
    assert Counterparty.objects.count() == 1


def test_the_lead_developer_can_be_exchanged_in_one_save(desk):
    pipeline = make_pipeline(lead_developer=make_counterparty("Acme"))
    lead = str(pipeline.counterparty_links.get().role_id)
    data = desk.open(pipeline) | {
        "counterparty_links-TOTAL_FORMS": "2",
        "counterparty_links-0-role": str(CounterpartyRole.objects.get(code="co-developer").pk),
        "counterparty_links-1-new_counterparty": "Blue Ridge",
        "counterparty_links-1-role": lead,
    }
    assert desk.send(pipeline, data).status_code == 302
    leads = pipeline.counterparty_links.filter(role=lead)
    assert leads.get().counterparty.name == "Blue Ridge"


def test_two_counterparties_can_exchange_their_places(desk):
    pipeline, role = make_pipeline(), CounterpartyRole.objects.get(code="co-developer")
    acme, blue = make_counterparty("Acme"), make_counterparty("Blue")
    for counterparty, share in ((acme, 40), (blue, 60)):
        pipeline.counterparty_links.create(counterparty=counterparty, role=role, share_pct=share)
    data = desk.open(pipeline) | {
        "counterparty_links-0-counterparty": str(blue.pk),
        "counterparty_links-1-counterparty": str(acme.pk),
    }
    assert desk.send(pipeline, data).status_code == 302
    shares = dict(pipeline.counterparty_links.values_list("counterparty__name", "share_pct"))
    assert shares == {"Blue": 40, "Acme": 60}


def test_saving_what_is_there_says_that_nothing_was_different(desk):
    pipeline = make_pipeline()
    data = desk.open(pipeline) | {"change_reason": "Just looking"}
    page = desk.client.post(desk.url(pipeline), {**data, "_save": "Save"}, follow=True)
    assert "Nothing was different, so nothing was saved." in page.content.decode()
    assert "changed successfully" not in page.content.decode()


def test_a_link_is_removed_and_its_history_stays(desk):
    pipeline = make_pipeline(capacity_mw=5)
    link = pipeline.facility_links.get()
    data = desk.open(pipeline) | {
        "facility_links-0-DELETE": "on",
        "change_reason": "Sold separately",
    }
    assert desk.send(pipeline, data).status_code == 302
    assert not pipeline.facility_links.exists()
    assert link.history.first().history_type == "-"
    assert Facility.objects.count() == 1


def test_a_country_may_be_typed_by_its_name(desk):
    counterparty = make_counterparty()
    data = desk.open(counterparty) | {"country": "united kingdom"}
    assert desk.send(counterparty, data).status_code == 302
    counterparty.refresh_from_db()
    assert counterparty.country == "GB"


def test_rating_confirms_the_rag_and_a_tick_confirms_it_again(desk):
    pipeline = make_pipeline()
    data = desk.open(pipeline) | {"rag_status": "amber", "change_reason": "Grid offer late"}
    desk.send(pipeline, data)
    pipeline.refresh_from_db()
    first = pipeline.rag_confirmed_at
    assert first is not None
    desk.send(pipeline, desk.open(pipeline) | {"confirm_rag": "on"})
    pipeline.refresh_from_db()
    assert pipeline.rag_confirmed_at > first
    assert pipeline.version == 3


def test_ratings_are_confirmed_for_many_pipelines_at_once(desk, portfolio_manager):
    rated, unrated = make_pipeline(rag_status="green"), make_pipeline()
    before = rated.rag_confirmed_at
    response = desk.client.post(
        desk.url(Pipeline, "changelist"),
        {
            "action": "confirm_rag",
            "_selected_action": [str(rated.pk), str(unrated.pk)],
            "change_reason": "Monthly review",
        },
        follow=True,
    )
    assert "Confirmed the RAG of 1 pipeline;" in response.content.decode()
    rated.refresh_from_db()
    assert rated.rag_confirmed_at > before
    newest = rated.history.first()
    assert (newest.history_user, newest.history_change_reason) == (
        portfolio_manager,
        "Monthly review",
    )
    assert unrated.history.count() == 1


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("status=design", {"Designed"}),
        ("status=on-hold", {"Held"}),
        ("status=open", {"Designed", "Late"}),
        ("status=withdrawn", {"Gone"}),
        ("overdue=yes", {"Late"}),
        ("q=acme", {"Designed"}),
        ("rag_status__exact=red", {"Late"}),
    ],
)
def test_the_pipelines_table_has_its_filters_and_search(desk, query, found):
    make_pipeline("Designed", stage="design", lead_developer=make_counterparty("Acme"))
    make_pipeline("Held", on_hold=True)
    make_pipeline("Gone", outcome="withdrawn")
    make_pipeline("Late", stage="procurement", rtb_date="2020-01-01", rag_status="red")
    response = desk.client.get(f"{desk.url(Pipeline, 'changelist')}?{query}")
    names = {pipeline.project_name for pipeline in response.context["cl"].result_list}
    assert names == found


def test_a_new_alert_rule_asks_for_no_code(desk, administrator):
    desk.client.force_login(administrator)
    empty = desk.open(AlertRule, "add") | {"event": "completed", "channel": "slack"}
    assert "code" not in empty
    made = {
        "Wind: done!": "wind-done",
        "Wind done": "wind-done-2",
        "WIND, done": "wind-done-3",
        "Завершено": "alertrule",
        "Much " * 15 + "more": "much-much-much-much-much-much-much-m",
    }
    for name in made:
        assert desk.send(AlertRule, empty | {"name": name}, "add").status_code == 302
    assert dict(AlertRule.objects.filter(order=0).values_list("name", "code")) == made
    first = AlertRule.objects.get(code="wind-done")
    assert desk.send(first, desk.open(first) | {"name": "Turbines done"}).status_code == 302
    first.refresh_from_db()
    assert (first.name, first.code) == ("Turbines done", "wind-done")


def test_a_new_technology_takes_its_code_from_the_name_unless_somebody_types_one(
    desk, administrator
):
    desk.client.force_login(administrator)
    page = desk.client.get(desk.url(Technology, "add"))
    form = page.context["adminform"]
    (prepopulated,) = form.prepopulated_fields
    assert prepopulated["field"].name == "code"
    assert "keep it once it is in use" in form.form.fields["code"].help_text


@pytest.mark.parametrize("model", [AlertRule, ContactRole, CounterpartyRole, Stage, Technology])
def test_a_vocabulary_asks_for_the_name_first_and_once_for_the_reason(desk, administrator, model):
    desk.client.force_login(administrator)
    for target, action in ((model, "add"), (model.objects.first(), "change")):
        html = desk.client.get(desk.url(target, action)).text
        asked = re.findall(r'<(?:input type="text"|select|textarea)[^>]*? name="(\w+)"', html)
        assert asked[0] == "name"
        assert asked.count("change_reason") == 1


def test_a_new_counterparty_with_two_new_people_in_one_form(desk, portfolio_manager):
    ceo, lead = (str(ContactRole.objects.get(code=code).pk) for code in ("ceo", "deal-lead"))
    data = desk.open(Counterparty, "add")
    assert int(data["contact_links-TOTAL_FORMS"]) == 2
    data |= {
        "name": "Larch Power",
        "country": "NO",
        "contact_links-TOTAL_FORMS": "3",
        "contact_links-0-new_contact": "Ann Birch",
        "contact_links-0-role": ceo,
        "contact_links-1-new_contact": "Bo Elm",
        "contact_links-1-new_email": "bo@larch.example",
        "contact_links-1-role": ceo,
        # The same person in a second role is no second person.
        "contact_links-2-new_contact": "ann birch",
        "contact_links-2-new_email": "ann@larch.example",
        "contact_links-2-role": lead,
        "change_reason": "Met at the fair",
    }
    assert desk.send(Counterparty, data, "add").status_code == 302
    counterparty = Counterparty.objects.get()
    found = {
        (str(link.contact), link.contact.email, str(link.role))
        for link in counterparty.contact_links.all()
    }
    assert found == {
        ("Ann Birch", "ann@larch.example", "CEO"),
        ("Bo Elm", "bo@larch.example", "CEO"),
        ("Ann Birch", "ann@larch.example", "Deal lead"),
    }
    assert Contact.objects.count() == 2
    assert ChangeSet.objects.latest("number").person == portfolio_manager


def test_a_contact_row_says_what_is_missing(desk):
    counterparty, contact = make_counterparty(), make_contact("Ann Birch")
    ceo = str(ContactRole.objects.get(code="ceo").pk)
    rows = [
        {"new_email": "ann@larch.example"},
        {"contact": str(contact.pk), "new_contact": "Ann Birch"},
        {},
        {"new_contact": "Bo Elm"},
    ]
    data = desk.open(counterparty) | {"contact_links-TOTAL_FORMS": "4"}
    for number, row in enumerate(rows):
        row = {"role": ceo} | row if number < 3 else row
        data |= {f"contact_links-{number}-{name}": value for name, value in row.items()}
    errors = errors_of(desk.send(counterparty, data))
    assert "Give the name that goes with the e-mail address." in errors
    assert "Choose an existing contact or name a new one, not both." in errors
    assert "Choose a contact, or name a new one." in errors
    assert "Give the role: it can't be empty." in errors
    assert not Contact.objects.exclude(pk=contact.pk).exists()


def test_the_country_is_chosen_from_a_list_that_keeps_what_is_stored(desk):
    counterparty = make_counterparty("Larch Power", country="NO")
    html = desk.client.get(desk.url(counterparty)).content.decode()
    (select,) = re.findall(r'<select[^>]*name="country"[^>]*>.*?</select>', html, re.DOTALL)
    assert '<option value="NO" selected>Norway</option>' in select
    assert select.count("<option") == 250
    Counterparty.objects.filter(pk=counterparty.pk).update(country="XK")
    html = desk.client.get(desk.url(Counterparty, "changelist")).content.decode()
    assert '<option value="XK" selected>XK</option>' in html


def test_a_rule_of_two_fields_is_checked_when_one_of_them_changes():
    pipeline = make_pipeline(rtb_date=date(2027, 1, 15), cod_date=date(2028, 1, 15))
    pipeline.values_read = dict(pipeline.__dict__)
    pipeline.cod_date = date(2026, 12, 1)
    with pytest.raises(ValidationError, match="operation lies before ready to build"):
        pipeline.validate_constraints()


def test_saving_a_form_asks_for_what_changed_alone(desk, django_assert_max_num_queries):
    pipeline = make_pipeline(lead_developer=make_counterparty("Larch Power"))
    data = desk.open(pipeline) | {"rag_comment": "The grid offer is late."}
    with django_assert_max_num_queries(40) as asked:
        assert desk.send(pipeline, data).status_code == 302
    statements = [one["sql"] for one in asked.captured_queries]
    assert not [sql for sql in statements if '"_check"' in sql]
    assert sum('FROM "pipelines_pipelinecounterparty"' in sql for sql in statements) == 1
