"""From a page to the admin form and back to where the person was."""

import re
from html import unescape

import pytest

from counterparties.models import Contact, Counterparty


def link(html: str, part: str) -> str:
    """The address of the first link that contains the text."""
    return unescape(re.search(rf'href="([^"]*{re.escape(part)}[^"]*)"', html)[1])


def form_values(response) -> dict:
    """What the admin's form would send if nobody touched it."""
    form = response.context["adminform"].form
    values = {name: form[name].value() for name in form.fields}
    for formset in response.context["inline_admin_formsets"]:
        management = formset.formset.management_form
        values |= {
            management.add_prefix(name): management[name].value() for name in management.fields
        }
        for row in formset.formset.forms:
            values |= {row.add_prefix(name): row[name].value() for name in row.fields}
    return {name: "" if value is None else value for name, value in values.items()}


def test_saving_a_form_leads_back_to_the_page_with_its_filters(as_editor, records):
    contact = records["contact"]
    page = f"{contact.get_absolute_url()}?show=changes"
    form = link(as_editor.get(page).content.decode(), "/change/")

    response = as_editor.post(form, form_values(as_editor.get(form)) | {"name": "Ann Beech"})

    assert response.status_code == 302
    assert response.url == page
    assert Contact.objects.get().name == "Ann Beech"
    message = f'“<a href="{contact.get_absolute_url()}">Ann Beech</a>” was changed successfully.'
    assert message in as_editor.get(page).content.decode()


def test_a_refused_form_still_knows_the_way_back(as_editor, records):
    contact = records["contact"]
    form = link(as_editor.get(contact.get_absolute_url()).content.decode(), "/change/")
    values = form_values(as_editor.get(form))

    refused = as_editor.post(form, values | {"name": ""})
    assert refused.status_code == 200
    assert refused.context["errors"]

    action = re.search(r'<form action="([^"]+)"[^>]*id="contact_form"', refused.content.decode())
    assert unescape(action[1]) == f"?{form.split('?')[1]}"
    assert as_editor.post(form, values).url == contact.get_absolute_url()


def test_adding_leads_to_the_new_record_and_from_there_back_to_the_list(as_editor, records):
    response = as_editor.get("/counterparties/?q=lar")
    form = link(response.content.decode(), "/counterparty/add/")

    response = as_editor.post(form, form_values(as_editor.get(form)) | {"name": "Elm Energy"})

    added = Counterparty.objects.get(name="Elm Energy")
    assert response.url == added.get_absolute_url()
    message = (
        f'“<a href="{added.get_absolute_url()}">Elm Energy</a>” was added successfully. '
        '<a href="/counterparties/?q=lar">Back to where you were</a>'
    )
    assert message in as_editor.get(response.url).content.decode()


def test_saving_from_a_list_of_the_admin_leads_to_the_record_and_back_to_that_list(
    as_editor, records
):
    contact = records["contact"]
    address = f"/admin/counterparties/contact/{contact.pk}/change/"
    form = f"{address}?_changelist_filters=q%3Dann"

    response = as_editor.post(form, form_values(as_editor.get(form)) | {"name": "Ann Beech"})

    assert response.url == contact.get_absolute_url()
    back = '<a href="/admin/counterparties/contact/?q=ann">Back to where you were</a>'
    assert back in as_editor.get(response.url).content.decode()


def test_saving_and_adding_another_stays_at_the_form(as_editor, records):
    form = "/admin/counterparties/contact/add/"
    values = form_values(as_editor.get(form)) | {"name": "Bo Rowan", "_addanother": "1"}

    assert as_editor.post(form, values).url == form


def test_removing_a_record_leads_to_its_list_instead_of_a_page_that_is_gone(as_editor, records):
    contact = records["contact"]
    form = link(as_editor.get(contact.get_absolute_url()).content.decode(), "/change/")
    removal = link(as_editor.get(form).content.decode(), "/delete/")

    response = as_editor.post(removal, confirmation(as_editor.get(removal)))

    assert response.url == "/contacts/"
    assert not Contact.objects.exists()


def confirmation(response) -> dict:
    """What the page that asks whether to remove a record sends when the answer is yes."""
    hidden = re.findall(
        r'<input type="hidden" name="(\w+)" value="([^"]*)"', response.content.decode()
    )
    return {name: unescape(value) for name, value in hidden}


@pytest.mark.parametrize(
    "elsewhere", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", ""]
)
def test_the_way_back_never_leads_to_another_site(as_editor, records, elsewhere):
    address = f"/admin/counterparties/contact/{records['contact'].pk}/change/"
    values = form_values(as_editor.get(address))

    response = as_editor.post(f"{address}?next={elsewhere}", values)

    assert response.url == records["contact"].get_absolute_url()


def test_save_and_continue_stays_on_the_form_and_keeps_the_way_back(as_editor, records):
    contact = records["contact"]
    form = link(as_editor.get(contact.get_absolute_url()).content.decode(), "/change/")

    response = as_editor.post(form, form_values(as_editor.get(form)) | {"_continue": "1"})

    assert response.url.split("?") == form.split("?")
