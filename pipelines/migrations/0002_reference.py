from django.db import migrations

from oegen.audit.seeding import reference_id, seed
from pipelines.reference import COUNTERPARTY_ROLES, STAGES, TECHNOLOGIES


def seed_reference(apps, schema_editor):
    seed(
        apps,
        "pipelines",
        "Stage",
        [
            {
                "id": reference_id("stage", code),
                "code": code,
                "name": name,
                # In tens, so that there is room for more between them.
                "order": 10 * place,
                "is_terminal": is_terminal,
            }
            for place, (code, name, is_terminal) in enumerate(STAGES, start=1)
        ],
    )
    seed(
        apps,
        "pipelines",
        "CounterpartyRole",
        [
            {
                "id": reference_id("counterpartyrole", code),
                "code": code,
                "name": name,
                "order": order,
            }
            for order, (code, name) in enumerate(COUNTERPARTY_ROLES, start=1)
        ],
    )
    columns = [
        "code",
        "name",
        "aliases",
        "parent",
        "unit_label",
        "capacity_basis",
        "is_storage",
        "icon",
        "colour",
        "colour_dark",
        "is_active",
    ]
    rows = []
    for order, values in enumerate(TECHNOLOGIES, start=1):
        row = dict(zip(columns, values, strict=True), order=order)
        row["id"] = reference_id("technology", row["code"])
        parent = row.pop("parent")
        row["parent_id"] = parent and reference_id("technology", parent)
        rows.append(row)
    seed(apps, "pipelines", "Technology", rows)


class Migration(migrations.Migration):
    dependencies = [("pipelines", "0001_initial")]
    operations = [migrations.RunPython(seed_reference, migrations.RunPython.noop)]
