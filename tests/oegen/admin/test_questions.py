"""What is unusual and may be right is asked at its field, saved with a tick, and remembered."""

import html
import re
from decimal import Decimal

import pytest
from django.urls import reverse

from counterparties.models import Contact, ContactRole, Counterparty, CounterpartyContact
from oegen.audit import integrity, seals
from oegen.audit.narrative.timeline import entries_of
from oegen.audit.questions import Question
from oegen.models import ChangeSet
from pipelines.country_boxes import BOXES
from pipelines.models import Facility, Pipeline, Stage, Technology
from tests.support import country_boxes
from tests.support.builders import make_contact, make_counterparty, make_facility, make_pipeline
from tests.support.desk import errors_of

pytestmark = pytest.mark.django_db

CONFIRMATION_BOX = re.compile(r'type="checkbox" name="([\w-]*save_anyway)" value="([\w-]+)"')


def confirmation_boxes(response) -> dict[str, list[str]]:
    """The names and values of the "save anyway" checkboxes of a page."""
    found: dict[str, list[str]] = {}
    for name, value in CONFIRMATION_BOX.findall(response.content.decode()):
        found.setdefault(name, []).append(value)
    return found


def ask_then_save(desk, target, data, action="change") -> str:
    """Send a form, which comes back with one question; send it again with the box checked."""
    response = desk.send(target, data, action)
    assert response.status_code == 200
    answers = confirmation_boxes(response)
    assert [len(values) for values in answers.values()] == [1], errors_of(response)
    again = desk.fields_of(response) | answers
    assert desk.send(target, again, action).status_code == 302
    return errors_of(response)


def role(code="ceo") -> str:
    return str(ContactRole.objects.get(code=code).pk)


def with_contact(name, email="", **fields) -> dict:
    row = {"new_contact": name, "new_email": email, "role": role(), **fields}
    return {"contact_links-TOTAL_FORMS": "1"} | {
        f"contact_links-0-{field}": value for field, value in row.items()
    }


CASES = {
    "accents": lambda: (Counterparty, {"name": "Muller Energie"}),
    "alias": lambda: (Counterparty, {"name": "alpha"}),
    "other name": lambda: (Counterparty, {"name": "Beta", "aliases": "Gamma\nmüller energie"}),
    "e-mail": lambda: (Contact, {"name": "D. Example", "email": "DANA@example.com"}),
    "e-mail in a row": lambda: (
        Counterparty,
        {"name": "Beta"} | with_contact("D. Example", "Dana@Example.com"),
    ),
    "swapped": lambda: (
        Facility,
        {
            "name": "Birmingham",
            "technology": str(Technology.objects.get(code="solar").pk),
            "latitude": "-1.89",
            "longitude": "52.48",
            "country": "GB",
        },
    ),
    "0/0": lambda: (
        Pipeline,
        {
            "project_name": "Null Island",
            "stage": str(Stage.objects.get(code="design").pk),
            "facility_links-TOTAL_FORMS": "1",
            "facility_links-0-technology": str(Technology.objects.get(code="solar").pk),
            "facility_links-0-latitude": "0",
            "facility_links-0-longitude": "0",
        },
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_question_is_asked_then_saved_anyway_and_recorded_in_the_history(desk, case):
    make_counterparty("Müller Energie")
    make_counterparty("Alpha Power Ltd", aliases="Alpha\nAPL")
    make_contact("Dana Example", email="dana@example.com")
    target, values = CASES[case]()
    asked = ask_then_save(desk, target, desk.open(target, "add") | values, "add")
    change_set = ChangeSet.objects.order_by("-number").first()
    (answer,) = change_set.answers
    assert answer["text"] in asked
    page = desk.client.get(reverse("change-set", args=[change_set.number])).content.decode()
    assert "Asked, and saved anyway" in page
    label, _, key = answer["record"].partition(":")
    model = next(one for one in (Counterparty, Contact, Facility) if one._meta.label_lower == label)
    assert entries_of(model.objects.get(pk=key))[-1].answers == (answer["text"],)
    assert not list(integrity.Check().findings())


def test_the_same_name_at_one_counterparty_is_questioned(desk):
    alpha, beta = make_counterparty("Alpha"), make_counterparty("Beta")
    for counterparty in (alpha, beta):
        CounterpartyContact.objects.create(
            counterparty=counterparty,
            contact=make_contact("Dana Example"),
            role=ContactRole.objects.get(code="ceo"),
        )
    data = desk.open(alpha) | with_contact("dana example", role=role("deal-lead"))
    data["contact_links-TOTAL_FORMS"] = "2"
    data |= {key.replace("-0-", "-1-"): data[key] for key in with_contact("x") if "-0-" in key}
    data |= desk.open(alpha) | {"contact_links-TOTAL_FORMS": "2"}
    asked = ask_then_save(desk, alpha, data)
    assert "Dana Example” (CEO at Alpha), who is here already" in asked
    assert asked.count("another person") == 1
    # Renaming somebody asks too; another field does not.
    contact = Contact.objects.get(name="dana example")
    assert desk.send(contact, desk.open(contact) | {"phone": "1"}).status_code == 302
    ask_then_save(desk, contact, desk.open(contact) | {"name": "DANA Example"})


def test_the_other_record_is_a_link_beside_the_form(desk):
    name = "<b>Müller</b> & Söhne"
    other, changed = make_counterparty(name), make_counterparty("Beta")
    link = (
        f'“<a href="{other.get_absolute_url()}" target="_blank">'
        "<bdi>&lt;b&gt;Müller&lt;/b&gt; &amp; Söhne</bdi>"
    )
    typed = "<b>Muller</b> & Sohne"
    form = desk.open(changed) | {"name": typed}
    assert desk.send(changed, form).content.decode().count(link) == 1


def test_another_value_is_asked_about_again_and_an_answer_survives_another_error(desk):
    make_contact("Dana Example", email="dana@example.com")
    make_contact("Jo Lark", email="jo@example.com")
    data = desk.open(Contact, "add") | {"name": "New", "email": "dana@example.com"}
    answer = confirmation_boxes(desk.send(Contact, data, "add"))
    other = desk.send(Contact, data | answer | {"email": "jo@example.com"}, "add")
    assert "Jo Lark" in errors_of(other)
    without_name = desk.send(Contact, data | answer | {"name": ""}, "add")
    assert not confirmation_boxes(without_name)
    again = desk.fields_of(without_name) | {"name": "New"}
    assert desk.send(Contact, again, "add").status_code == 302


def test_a_field_that_is_not_written_is_not_asked_about(desk):
    facility = make_facility(latitude=0, longitude=0)
    data = desk.open(facility) | {"region": "Atlantic"}
    assert desk.send(facility, data).status_code == 302
    assert ChangeSet.objects.order_by("-number").first().details is None


def test_a_question_about_a_facility_is_asked_in_its_row_of_the_pipeline(desk):
    pipeline = make_pipeline(capacity_mw=10)
    data = desk.open(pipeline) | {
        "facility_links-0-latitude": "9.7",
        "facility_links-0-longitude": "52.4",
        "facility_links-0-country": "DE",
    }
    asked = ask_then_save(desk, pipeline, data)
    assert "not in or near Germany; latitude 52.4, longitude 9.7 would be" in asked
    assert pipeline.facilities.get().latitude == Decimal("9.7")


def test_the_editable_list_asks_in_the_row(desk, monkeypatch):
    counterparty = make_counterparty("Alpha", country="GB")
    other = make_contact("Dana & Co")

    def questions(self):
        return [Question("test", ("country",), f"Is {self.country} right, “{other}”?", other)]

    monkeypatch.setattr(Counterparty, "questions", questions)
    url = desk.url(Counterparty, "changelist")
    data = desk.fields_of(desk.client.get(url)) | {"form-0-country": "IE", "_save": "Save"}
    response = desk.client.post(url, data)
    answers = confirmation_boxes(response)
    assert "Is IE right, “Dana & Co" in html.unescape(errors_of(response))
    link = f'“<a href="{other.get_absolute_url()}" target="_blank"><bdi>Dana &amp; Co</bdi>'
    assert link in response.content.decode()
    assert list(answers) == ["form-0-save_anyway"]
    again = desk.fields_of(response) | answers | {"_save": "Save"}
    assert desk.client.post(url, again).status_code == 302
    counterparty.refresh_from_db()
    assert counterparty.country == "IE"


def test_the_answers_are_sealed_and_older_seals_stay():
    change_set = ChangeSet.objects.order_by("number").first()
    before = seals.seal_of(change_set, seals.START)
    assert before == change_set.seal
    change_set.details = {"asked": [{"text": "Is it?"}]}
    assert seals.seal_of(change_set, seals.START) != before


def test_the_boxes_are_those_of_the_borders_on_the_maps():
    assert country_boxes.boxes() == BOXES
