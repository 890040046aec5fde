"""Cells that tables draw in Python, which takes a tenth of a template's time, as tags."""

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from oegen.core import words

register = template.Library()

_NO_DATE = mark_safe('<span class="text-secondary">no date</span>')
_OVERDUE = (
    '<span class="nowrap">{} <span class="overdue" title="Ready to build {}">overdue</span></span>'
)


@register.simple_tag
def rtb_cell(pipeline) -> SafeString:
    """The RTB date of a pipeline that was read ``with_overdue``."""
    if pipeline.rtb_date is None:
        return _NO_DATE
    day = words.day(pipeline.rtb_date)
    if not pipeline.is_overdue:
        return format_html('<span class="nowrap">{}</span>', day)
    return format_html(_OVERDUE, day, words.in_days(pipeline.rtb_date))
