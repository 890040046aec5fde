"""Tags for unread notices and for names in comments."""

from django import template

from oegen.alerts import mentions

register = template.Library()

#: Unread notices are counted up to this number.
MANY = 100


@register.simple_tag(takes_context=True)
def names_in(context, text: str, is_comment: bool = True) -> str:
    """The comment with names in place of @username; other texts unchanged."""
    if not is_comment:
        return text
    return mentions.with_names(str(text), context["people_by_username"])


@register.simple_tag(takes_context=True)
def unread_notices(context) -> str:
    """The number of unread notices of the signed-in user: “3”, “99+”, empty for none."""
    number = context["request"].user.notices.unread()[:MANY].count()
    return f"{MANY - 1}+" if number == MANY else str(number or "")
