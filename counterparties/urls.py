from django.urls import path

from counterparties import views

urlpatterns = [
    path("counterparties/", views.CounterpartyList.as_view(), name="counterparties"),
    path("counterparties/names/", views.CounterpartyNames.as_view(), name="counterparty-names"),
    path(
        "counterparties/duplicates/",
        views.CounterpartyDuplicates.as_view(),
        name="counterparty-duplicates",
    ),
    path("counterparties/<uuid:pk>/", views.CounterpartyPage.as_view(), name="counterparty"),
    path(
        "counterparties/<uuid:pk>/merge/",
        views.CounterpartyMerge.as_view(),
        name="counterparty-merge",
    ),
    path("contacts/", views.ContactList.as_view(), name="contacts"),
    path("contacts/duplicates/", views.ContactDuplicates.as_view(), name="contact-duplicates"),
    path("contacts/<uuid:pk>/", views.ContactPage.as_view(), name="contact"),
    path("contacts/<uuid:pk>/merge/", views.ContactMerge.as_view(), name="contact-merge"),
]
