"""Tags about people: what waits in their bell, and their names in comments."""

from django import template

from oegen.alerts import mentions

register = template.Library()

#: More are not counted.
MANY = 100


@register.filter
def with_names(text: str, people: dict) -> str:
    """The comment with names in place of @username; ``people`` by username, case folded."""
    return mentions.with_names(str(text), people or {})


@register.simple_tag(takes_context=True)
def unread_notices(context) -> str:
    """How many notices the signed-in person has not read: “3”, “99+”, empty for none."""
    number = context["request"].user.notices.unread()[:MANY].count()
    return f"{MANY - 1}+" if number == MANY else str(number or "")
