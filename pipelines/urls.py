from django.urls import path

from pipelines import views

urlpatterns = [
    path("pipelines/", views.PipelineList.as_view(), name="pipelines"),
    path("pipelines/<uuid:pk>/", views.PipelinePage.as_view(), name="pipeline"),
    path("facilities/", views.FacilityList.as_view(), name="facilities"),
    path("facilities/<uuid:pk>/", views.FacilityPage.as_view(), name="facility"),
]
