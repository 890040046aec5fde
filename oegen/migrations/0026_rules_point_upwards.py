"""Alert rules point to models of later applications without foreign keys: the same attributes and
columns, so that digests stay what they are.

0010_alerts makes pointers now; the foreign keys that it made in older releases lose their
constraints here. The history's columns never had any.
"""

from django.db import migrations, models


def drop_foreign_keys(apps, schema_editor):
    rule = apps.get_model("oegen", "AlertRule")
    for name in ("technology", "counterparty"):
        # What it refers to plays no part in taking its constraint away.
        foreign_key = models.ForeignKey(rule, models.DO_NOTHING, null=True, blank=True)
        foreign_key.set_attributes_from_name(name)
        foreign_key.model = rule
        schema_editor.alter_field(rule, foreign_key, rule._meta.get_field(name))


class Migration(migrations.Migration):
    dependencies = [("oegen", "0025_account_words")]

    operations = [migrations.RunPython(drop_foreign_keys, migrations.RunPython.noop)]
