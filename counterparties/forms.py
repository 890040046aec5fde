"""The inline rows of a counterparty's form: existing contacts, or new ones."""

from __future__ import annotations

from django import forms
from django.core.exceptions import ValidationError

from counterparties.models import Contact, Counterparty, CounterpartyContact
from oegen.admin.forms import GuardedForm, LinkFormSet


class ContactLinkForm(GuardedForm):
    """A role of an existing contact, or of a new one given by name and e-mail address."""

    #: Set by LinkFormSet.
    owner: Counterparty

    new_contact = forms.CharField(label="or a new one’s name", required=False, max_length=200)
    new_email = Contact._meta.get_field("email").formfield(label="and e-mail", required=False)

    #: The form field that shows the errors and questions of each Contact field.
    FORM_FIELDS = {"name": "new_contact", "email": "new_email", "contact": "new_contact"}

    class Meta:
        model = CounterpartyContact
        fields = ("contact", "role", "valid_from", "valid_until")

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self._contact: Contact | None = None
        self.fields["contact"].required = False
        for name in ("new_contact", "new_email"):
            self.fields[name].disabled = self._is_change

    def _get_validation_exclusions(self):
        """Skip the foreign key check for a contact that is saved later."""
        # The stubs leave out this hook of Django's.
        exclusions = super()._get_validation_exclusions()  # type: ignore[misc]
        return exclusions | {"contact"} if self._contact else exclusions

    def clean(self):
        cleaned = super().clean()
        name, email = (cleaned.get("new_contact") or "").strip(), cleaned.get("new_email") or ""
        chosen = cleaned.get("contact")
        if name and chosen:
            self.add_error("new_contact", "Choose an existing contact or name a new one, not both.")
        elif name:
            self._contact = cleaned["contact"] = self._new_contact_of(name, email)
        elif email:
            self.add_error("new_contact", "Give the name that goes with the e-mail address.")
        elif not chosen and "contact" not in self.errors:
            self.add_error("contact", "Choose a contact, or name a new one.")
        return cleaned

    def _new_contact_of(self, name: str, email: str) -> Contact:
        """The new contact of that name, shared with earlier rows of the form that name the same."""
        others: list[Contact] = self.owner.__dict__.setdefault("_new_contacts", [])
        for other in others:
            emails = {email.casefold(), other.email.casefold()} - {""}
            if other.name.casefold() == name.casefold() and len(emails) < 2:
                other.email = other.email or email
                return other
        contact = Contact(name=name, email=email)
        try:
            contact.full_clean()
        except ValidationError as error:
            for field, errors in error.error_dict.items():
                self.add_error(self.FORM_FIELDS.get(field), errors)
        else:
            others.append(contact)
            self.add_questions(contact, None)
        return contact

    def add_questions(self, record, changed, places=None):
        is_new = bool(self.cleaned_data.get("new_contact"))
        super().add_questions(record, changed, self.FORM_FIELDS if is_new else places)

    def save(self, commit=True):
        if self._contact and self._contact._state.adding:
            self._contact.save()
        return super().save(commit=commit)


class ContactFormSet(LinkFormSet):
    def linked_records(self, form):
        contact, role = super().linked_records(form)
        return contact or form._contact, role
