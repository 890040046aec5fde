"""Remarks of ``manage.py audit_check`` on duplicate names and numbers."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils.text import capfirst, get_text_list

from oegen.audit.integrity.remarks import register_remarks
from oegen.search import keys


@register_remarks
def shared_keys() -> Iterator[str]:
    """Records that share a unique name or number, from before that was refused."""
    for model in keys.keyed_models():
        groups = keys.shared(model, unique_only=True)
        for group, records in keys.records_of(model, groups):
            names = get_text_list([f"“{one}” ({one.pk})" for one in records], "and")
            kinds = get_text_list(list(group.kinds), "and")
            yield f"{capfirst(model._meta.verbose_name_plural)} have the same {kinds}: {names}"
