from django.urls import path

from pipelines.registers.pages import benchmarks, company, competitors, registers

urlpatterns = [
    path("competitors/", competitors.Competitors.as_view(), name="competitors"),
    path("competitors/<uuid:pk>/", company.CompanyPage.as_view(), name="competitor"),
    path("registers/", registers.Registers.as_view(), name="registers"),
    path("registers/projects/", registers.RegisterProjects.as_view(), name="register-projects"),
    path(
        "registers/projects/<uuid:pk>/",
        registers.RegisterProjectPage.as_view(),
        name="register-project",
    ),
    path("registers/benchmarks/", benchmarks.BenchmarksPage.as_view(), name="benchmarks"),
]
