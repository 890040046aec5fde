from django.db import migrations

from counterparties.reference import CONTACT_ROLES
from oegen.audit.seeding import reference_id, seed


def seed_reference(apps, schema_editor):
    seed(
        apps,
        "counterparties",
        "ContactRole",
        [
            {"id": reference_id("contactrole", code), "code": code, "name": name, "order": order}
            for order, (code, name) in enumerate(CONTACT_ROLES, start=1)
        ],
    )


class Migration(migrations.Migration):
    dependencies = [("counterparties", "0001_initial")]
    operations = [migrations.RunPython(seed_reference, migrations.RunPython.noop)]
