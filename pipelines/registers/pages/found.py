"""What public registers have of a search, for the search page."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.views.generic import TemplateView

from pipelines.registers.licences import registers_shown
from pipelines.registers.models import RegisterCompany, RegisterProject

#: The projects, and the companies, that are shown; and what is read of a text.
SHOWN, LONGEST = 5, 200


class Found(TemplateView):
    """A part of the search page that is asked for after it: projects of the newest editions and
    companies with all the words of ``q``."""

    template_name = "registers/parts/found.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        text = self.request.GET.get("q", "").strip()[:LONGEST].replace("\x00", "")
        projects = RegisterProject.objects.in_newest().matching(text)
        companies = RegisterCompany.objects.all()
        for word in text.split():
            companies = companies.filter(name__icontains=word)
        if not text:
            projects, companies = projects.none(), companies.none()
        number = projects.order_by().count()
        return super().get_context_data(**kwargs) | {
            "projects": projects.select_related("register")[:SHOWN] if number else [],
            "number": number,
            "projects_url": f"{reverse('register-projects')}?{urlencode({'q': text})}",
            "companies": companies[:SHOWN],
            "licences": registers_shown() if number else [],
        }
