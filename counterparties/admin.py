from django.contrib import admin

from counterparties.forms import ContactFormSet, ContactLinkForm
from counterparties.models import Contact, ContactRole, Counterparty, CounterpartyContact
from oegen.admin import AuditedAdmin, LinkInline, ReferenceAdmin


class ContactsInline(LinkInline):
    model = CounterpartyContact
    adds_related = False
    fk_name = "counterparty"
    form = ContactLinkForm
    formset = ContactFormSet
    fields = ["contact", "new_contact", "new_email", "role", "valid_from", "valid_until"]
    autocomplete_fields = ["contact", "role"]
    verbose_name = "contact"
    verbose_name_plural = "contacts and their roles"

    def get_extra(self, request, obj=None, **kwargs):
        """Two empty rows on the form of a new counterparty, none on an existing one's."""
        return 0 if obj else 2


class CounterpartiesInline(LinkInline):
    model = CounterpartyContact
    fk_name = "contact"
    fields = ["counterparty", "role", "valid_from", "valid_until"]
    autocomplete_fields = ["counterparty", "role"]
    verbose_name = "role"
    verbose_name_plural = "roles at counterparties"


@admin.register(Counterparty)
class CounterpartyAdmin(AuditedAdmin):
    list_display = ["name", "strategy", "country", "state"]
    list_editable = ["strategy", "country"]
    list_filter = [
        "is_placeholder",
        ("archived_at", admin.EmptyFieldListFilter),
        ("country", admin.AllValuesFieldListFilter),
    ]
    search_fields = ["name", "aliases", "strategy", "company_number", "lei"]
    fieldsets = [
        (None, {"fields": ["name", "aliases", "strategy"]}),
        ("Registration", {"fields": ["country", "company_number", "lei", "website"]}),
        ("State", {"fields": ["is_placeholder", "archived_at"], "classes": ["collapse"]}),
    ]
    inlines = [ContactsInline]

    @admin.display(description="State", ordering="archived_at")
    def state(self, counterparty):
        if counterparty.archived_at:
            return "archived"
        return "placeholder" if counterparty.is_placeholder else ""


@admin.register(Contact)
class ContactAdmin(AuditedAdmin):
    list_display = ["name", "job_title", "email", "phone"]
    search_fields = ["name", "aliases", "email", "job_title"]
    fieldsets = [(None, {"fields": ["name", "aliases", "job_title", "email", "phone"]})]
    inlines = [CounterpartiesInline]


admin.site.register(ContactRole, ReferenceAdmin)
