from django.urls import path

from counterparties import views

urlpatterns = [
    path("counterparties/", views.CounterpartyList.as_view(), name="counterparties"),
    path("counterparties/names/", views.CounterpartyNames.as_view(), name="counterparty-names"),
    path("counterparties/<uuid:pk>/", views.CounterpartyPage.as_view(), name="counterparty"),
    path("contacts/", views.ContactList.as_view(), name="contacts"),
    path("contacts/<uuid:pk>/", views.ContactPage.as_view(), name="contact"),
]
