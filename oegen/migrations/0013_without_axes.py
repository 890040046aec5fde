"""Sign-in delays are counted by the site itself from here on: what django-axes kept goes, where it
was ever installed. Its rows were counts of some minutes."""

from django.db import migrations
from django.db.migrations.recorder import MigrationRecorder

#: Those that refer to others first.
TABLES = [
    "axes_accessattemptexpiration",
    "axes_accessattempt",
    "axes_accesslog",
    "axes_accessfailurelog",
]


def remove_axes(apps, schema_editor):
    connection = schema_editor.connection
    there = set(connection.introspection.table_names())
    for table in TABLES:
        if table in there:
            schema_editor.execute(f"DROP TABLE {schema_editor.quote_name(table)}")
    # Its permissions go with them.
    apps.get_model("contenttypes", "ContentType").objects.filter(app_label="axes").delete()
    MigrationRecorder(connection).migration_qs.filter(app="axes").delete()


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("oegen", "0012_attempt_counts"),
    ]
    operations = [migrations.RunPython(remove_axes, migrations.RunPython.noop)]
