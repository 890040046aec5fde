"""How forms and their widgets become HTML."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from django.forms.renderers import DjangoTemplates, Jinja2


class FormRenderer(DjangoTemplates):
    """Renders Django's own widgets and labels with its Jinja templates, everything else with Django
    templates.

    The two say the same, but a page with 400 widgets takes half the time.
    """

    JINJA = ("django/forms/widgets/", "django/forms/label.html")

    @cached_property
    def _jinja(self) -> Jinja2:
        return Jinja2()

    def get_template(self, template_name: str) -> Any:
        if template_name.startswith(self.JINJA):
            return self._jinja.get_template(template_name)
        return super().get_template(template_name)
