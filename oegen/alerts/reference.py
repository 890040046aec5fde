"""The alert rules that every installation starts with: one for each event and channel."""

from typing import Any

#: Event, name of its rules, threshold, whether the Slack rule is active from the start.
RULES = [
    ("pipeline-created", "Pipeline created", None, True),
    ("stage-moved", "Stage moved", None, True),
    ("rag-worsened", "RAG worsened", None, True),
    ("rag-improved", "RAG improved", None, True),
    ("rtb-slipped", "RTB date slipped", 30, True),
    ("rtb-overdue", "RTB date now overdue", None, True),
    ("needs-attention", "Begins to need attention", None, True),
    ("put-on-hold", "Put on hold", None, True),
    ("taken-off-hold", "Taken off hold", None, True),
    ("completed", "Completed", None, True),
    ("withdrawn", "Withdrawn, refused or sold", None, True),
    ("capacity-changed", "Capacity changed", 10, True),
    ("information-point-rated", "Information point rated high", 5000, True),
    ("register-edition", "New edition of a public register", None, True),
    ("register-differs", "A public register says otherwise", None, True),
    ("warehouse-check", "Check of the warehouse failed", None, True),
    # In Slack, everybody would see what is meant for one person.
    ("mentioned", "Mentioned in a comment", None, False),
]

CHANNELS = [("slack", "Slack"), ("email", "e-mail")]


def alert_rule_rows() -> list[dict[str, Any]]:
    rules = [(channel, label, *rule) for channel, label in CHANNELS for rule in RULES]
    return [
        {
            "code": f"{channel}-{event}",
            "name": f"{name}, by {label}",
            "order": order,
            "event": event,
            "threshold": threshold,
            "channel": channel,
            "is_active": channel == "email" or is_sent_to_slack,
        }
        for order, (channel, label, event, name, threshold, is_sent_to_slack) in enumerate(
            rules, start=1
        )
    ]
