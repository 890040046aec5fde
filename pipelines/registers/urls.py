from django.urls import path

from pipelines.registers.review.views import Review

urlpatterns = [
    path("registers/review/", Review.as_view(), name="register-review"),
]
