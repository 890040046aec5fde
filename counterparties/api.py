"""Counterparties and contacts in the API."""

from counterparties.filters import ContactFilter, CounterpartyFilter
from counterparties.models import Contact, ContactRole, Counterparty, CounterpartyContact
from oegen.api.rest.filters import filterset_for
from oegen.api.rest.registry import register
from oegen.api.rest.serializers import serializer_for
from oegen.api.rest.viewsets import RecordViewSet


class CounterpartyViewSet(RecordViewSet):
    queryset = Counterparty.objects.all()
    serializer_class = serializer_for(Counterparty)
    filterset_class = CounterpartyFilter


class ContactViewSet(RecordViewSet):
    queryset = Contact.objects.all()
    serializer_class = serializer_for(Contact)
    filterset_class = ContactFilter
    is_personal = True


class CounterpartyContactViewSet(RecordViewSet):
    queryset = CounterpartyContact.objects.all()
    serializer_class = serializer_for(CounterpartyContact)
    filterset_class = filterset_for(CounterpartyContact)
    is_personal = True


class ContactRoleViewSet(RecordViewSet):
    queryset = ContactRole.objects.all()
    serializer_class = serializer_for(ContactRole)


register("counterparties", CounterpartyViewSet)
register("contacts", ContactViewSet)
register("counterparty-contacts", CounterpartyContactViewSet)
register("contact-roles", ContactRoleViewSet)
