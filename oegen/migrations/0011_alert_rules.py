from django.db import migrations

from oegen.audit.seeding import reference_id, seed

#: Event, what its rules are called, threshold, whether Slack is told of it from the start.
EVENTS = [
    ("pipeline-created", "Pipeline created", None, True),
    ("stage-moved", "Stage moved", None, True),
    ("rag-worsened", "RAG worsened", None, True),
    ("rag-improved", "RAG improved", None, True),
    ("rtb-slipped", "RTB date slipped", 30, True),
    ("rtb-overdue", "RTB date now overdue", None, True),
    ("put-on-hold", "Put on hold", None, True),
    ("taken-off-hold", "Taken off hold", None, True),
    ("completed", "Completed", None, True),
    ("withdrawn", "Withdrawn, refused or sold", None, True),
    ("capacity-changed", "Capacity changed", 10, True),
    ("information-point-rated", "Information point rated high", 5000, True),
    # Slack would tell everybody what is meant for one person.
    ("mentioned", "Mentioned in a comment", None, False),
]

CHANNELS = [("slack", "Slack"), ("email", "e-mail")]


def seed_rules(apps, schema_editor):
    seed(
        apps,
        "oegen",
        "AlertRule",
        [
            {
                "id": reference_id("alertrule", f"{channel}-{event}"),
                "code": f"{channel}-{event}",
                "name": f"{name}, by {word}",
                "order": order,
                "event": event,
                "threshold": threshold,
                "channel": channel,
                "is_active": channel == "email" or is_told_to_slack,
            }
            for order, (channel, word, event, name, threshold, is_told_to_slack) in enumerate(
                ((channel, word, *event) for channel, word in CHANNELS for event in EVENTS),
                start=1,
            )
        ],
    )


class Migration(migrations.Migration):
    dependencies = [("oegen", "0010_alerts")]
    operations = [migrations.RunPython(seed_rules, migrations.RunPython.noop)]
