"""Tags about people: what waits in their bell, and their names in comments."""

from django import template

from oegen.alerts import mentions

register = template.Library()

#: More are not counted.
MANY = 100


@register.simple_tag(takes_context=True)
def names_in(context, text: str, is_comment: bool = True) -> str:
    """The comment with names in place of @username; any other text as it is, for @ tells nobody
    there."""
    if not is_comment:
        return text
    return mentions.with_names(str(text), context["people_by_username"])


@register.simple_tag(takes_context=True)
def unread_notices(context) -> str:
    """How many notices the signed-in person has not read: “3”, “99+”, empty for none."""
    number = context["request"].user.notices.unread()[:MANY].count()
    return f"{MANY - 1}+" if number == MANY else str(number or "")
