"""Tags for unread notices and for names in comments."""

from django import template
from django.utils.html import format_html
from django.utils.text import Truncator

from oegen.alerts import mentions
from oegen.alerts.models import Notice
from oegen.core import words
from oegen.core.compiled import compiled

register = template.Library()

#: Unread notices are counted up to this number.
MANY = 100

#: From this length on, a text is folded up to its first START characters.
LONG, START = 600, 300


@register.simple_tag(takes_context=True)
def names_in(context, text: str, is_comment: bool = True) -> str:
    """The comment with names in place of @username; other texts unchanged."""
    if not is_comment:
        return text
    return mentions.with_names(str(text), context["people_by_username"])


@register.simple_tag(takes_context=True)
def prose(context, text: str, is_comment: bool = False) -> str:
    """A text, of which the start stands for a long one until it is opened. In Python, because a
    page has many."""
    text = str(text)
    whole = names_in(context, text, is_comment)
    if len(text) <= LONG:
        return whole
    return format_html(
        '{}<details class="more"><summary>Show all {} characters</summary>{}</details>',
        names_in(context, Truncator(text).chars(START), is_comment),
        words.whole(len(text)),
        whole,
    )


@register.simple_tag(takes_context=True)
def unread_notices(context) -> str:
    """The number of unread notices of the signed-in user: “3”, “99+”, empty for none."""
    number = len(_unread(key=context["request"].user.pk))
    return f"{MANY - 1}+" if number == MANY else str(number or "")


@compiled
def _unread(*, key):
    return Notice.objects.filter(recipient=key).unread().order_by().values_list("pk")[:MANY]
