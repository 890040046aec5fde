"""Removing: refused where others depend on the record, history where it is not."""

import pytest
from django.contrib.auth.models import Group
from django.urls import reverse

from counterparties.models import Counterparty
from infopoints.models import InformationPointPipeline
from oegen.models import Comment
from pipelines.models import (
    CounterpartyRole,
    Facility,
    Pipeline,
    PipelineFacility,
    StageTransition,
)
from tests.support.builders import (
    make_contact,
    make_counterparty,
    make_facility,
    make_information_point,
    make_pipeline,
)

pytestmark = pytest.mark.django_db


def remove(desk, record, reason=""):
    """Open the removal page and confirm it."""
    page = desk.client.get(desk.url(record, "delete"))
    guard = page.context["guard"] if page.status_code == 200 else ""
    return desk.client.post(
        desk.url(record, "delete"), {"post": "yes", "change_reason": reason, "guard": guard}
    )


def test_a_counterparty_with_a_pipeline_is_refused_with_a_link_to_it(desk):
    acme = make_counterparty("Acme")
    pipeline = make_pipeline("Kettleby Solar", lead_developer=acme)
    page = desk.client.get(desk.url(acme, "delete")).content.decode()
    assert "“Acme” can’t be removed, because these records depend on it." in page
    assert f'Pipeline: <a href="{desk.url(pipeline)}">Kettleby Solar</a>' in page
    assert remove(desk, acme).status_code == 200
    assert Counterparty.objects.filter(pk=acme.pk).exists()
    assert acme.history.count() == 1


def test_a_pipeline_that_an_information_point_names_is_refused(desk):
    pipeline, point = make_pipeline(), make_information_point("Grid reform")
    InformationPointPipeline.objects.create(information_point=point, pipeline=pipeline)
    page = desk.client.get(desk.url(pipeline, "delete")).content.decode()
    assert f'Information point: <a href="{desk.url(point)}">Grid reform</a>' in page


def test_a_facility_of_a_pipeline_is_refused(desk):
    pipeline = make_pipeline("Kettleby", capacity_mw=5)
    page = desk.client.get(desk.url(pipeline.facilities.get(), "delete")).content.decode()
    assert f'<a href="{desk.url(pipeline)}">Kettleby</a>' in page


def test_a_removal_is_history_with_person_and_reason(desk, portfolio_manager):
    contact = make_contact("Jo Field")
    assert remove(desk, contact, "Left the sector").status_code == 302
    row = type(contact).history.first()
    assert (row.history_type, row.name) == ("-", "Jo Field")
    assert (row.history_user, row.history_change_reason) == (portfolio_manager, "Left the sector")


def test_removing_a_pipeline_takes_its_links_and_no_business_record(desk):
    pipeline = make_pipeline(capacity_mw=5, lead_developer=make_counterparty())
    Comment.objects.create(subject=pipeline, text="Goodbye")
    assert remove(desk, pipeline, "Entered twice").status_code == 302
    assert not Pipeline.objects.exists()
    assert Facility.objects.count() == 1
    assert Counterparty.objects.count() == 1
    change_sets = set()
    for model in (Pipeline, PipelineFacility, StageTransition, Comment):
        row = model.history.filter(history_type="-").get()
        assert row.history_change_reason == "Entered twice"
        change_sets.add(row.change_set_id)
    assert len(change_sets) == 1


def test_several_at_once_are_refused_when_one_is_depended_on(desk):
    free, used = make_facility("Free"), make_pipeline("Kettleby", capacity_mw=5).facilities.get()
    response = desk.client.post(
        desk.url(Facility, "changelist"),
        {
            "action": "delete_selected",
            "_selected_action": [str(free.pk), str(used.pk)],
            "post": "yes",
        },
    )
    assert "Nothing was removed." in response.content.decode()
    assert Facility.objects.count() == 2


def test_several_at_once_are_removed_in_one_change_set(desk):
    facilities = [make_facility(), make_facility()]
    desk.client.post(
        desk.url(Facility, "changelist"),
        {
            "action": "delete_selected",
            "_selected_action": [str(facility.pk) for facility in facilities],
            "post": "yes",
            "change_reason": "Test data",
        },
    )
    rows = Facility.history.filter(history_type="-")
    assert rows.count() == 2
    assert len({row.change_set_id for row in rows}) == 1
    assert {row.history_change_reason for row in rows} == {"Test data"}


def test_a_removal_confirmed_after_somebodys_change_is_stopped(desk):
    contact = make_contact("Jo Field")
    guard = desk.client.get(desk.url(contact, "delete")).context["guard"]
    contact.phone = "0123"
    contact.save()
    answer = desk.client.post(
        desk.url(contact, "delete"), {"post": "yes", "guard": guard}, follow=True
    )
    assert "changed this while you had it open" in answer.content.decode()
    assert type(contact).objects.filter(pk=contact.pk).exists()


def test_the_history_of_a_removed_record_can_still_be_read(desk):
    contact = make_contact("Jo Field")
    url = reverse("admin:counterparties_contact_history", args=[contact.pk])
    history = reverse("history", args=["contact", contact.pk])
    remove(desk, contact, "Left the sector")
    answer = desk.client.get(url, follow=True)
    assert answer.redirect_chain == [(history, 302)]
    page = answer.content.decode()
    assert "<b>This contact was removed</b> by Priya Shah" in page
    assert "Left the sector" in page


def test_the_three_roles_stay(desk, administrator):
    desk.client.force_login(administrator)
    role = Group.objects.get(name="Managers")
    url = reverse("admin:auth_group_delete", args=[role.pk])
    assert desk.client.post(url, {"post": "yes"}).status_code == 403


def test_the_form_s_history_button_leads_to_the_history_page_of_the_site(desk):
    pipeline = make_pipeline("Kettleby")
    history = reverse("history", args=["pipeline", pipeline.pk])
    form = desk.client.get(desk.url(pipeline)).content.decode()
    assert f'<a href="{history}" class="historylink">History</a>' in form
    assert f'<a href="{history}">Whole history</a>' in form
    assert "/history/" not in form.replace(history, "")


def test_a_reference_row_that_the_program_relies_on_is_renamed_but_not_removed(desk, administrator):
    desk.client.force_login(administrator)
    lead = CounterpartyRole.objects.get(code="lead-developer")
    assert remove(desk, lead).status_code == 403
    data = desk.open(lead) | {"name": "Main developer", "code": "other"}
    assert desk.send(lead, data).status_code == 302
    lead.refresh_from_db()
    assert (lead.name, lead.code) == ("Main developer", "lead-developer")
    landowner = CounterpartyRole.objects.get(code="landowner")
    assert remove(desk, landowner).status_code == 302
