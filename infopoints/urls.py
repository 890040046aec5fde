from django.urls import path

from infopoints import views

urlpatterns = [
    path("infopoints/", views.InformationPointList.as_view(), name="infopoints"),
    path("infopoints/<uuid:pk>/", views.InformationPointPage.as_view(), name="informationpoint"),
]
