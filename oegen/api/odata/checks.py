"""``manage.py check --deploy``: the feed takes access tokens as passwords, so it needs HTTPS."""

from typing import Any

from django.conf import settings
from django.core import checks


@checks.register(checks.Tags.security, deploy=True)
def feed_needs_https(app_configs: object, **kwargs: Any) -> list[checks.CheckMessage]:
    if settings.SECURE:
        return []
    return [
        checks.Error(
            "The OData feed takes access tokens as passwords, and BASE_URL is not https://, so "
            "that they can be read on their way.",
            hint="Serve the site by HTTPS, and let BASE_URL begin with https://.",
            id="oegen.E002",
        )
    ]
