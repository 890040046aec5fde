"""The foreign keys of alert rules to models of later applications become pointers: the same
attributes and columns, so that digests stay what they are.

The table of the rules loses its two constraints. The history's columns never had any: of them only
Django's notion changes.
"""

from django.db import migrations

from oegen.core.pointers import PointerField

HELP_TEXTS = {
    "technology": "Only records of it, its kinds included. Empty: of any.",
    "counterparty": "Only records tied to it, in whatever role. Empty: to any.",
}


def become_pointers(model_name):
    return [
        migrations.AlterField(
            model_name,
            name,
            PointerField(blank=True, db_index=True, help_text=help_text, null=True),
        )
        for name, help_text in HELP_TEXTS.items()
    ]


class Migration(migrations.Migration):
    dependencies = [("oegen", "0025_account_words")]

    operations = [
        *become_pointers("alertrule"),
        migrations.SeparateDatabaseAndState(
            state_operations=become_pointers("historicalalertrule")
        ),
    ]
