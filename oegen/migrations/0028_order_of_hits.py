from django.db import migrations, models


def empty_documents(apps, schema_editor):
    """``migrate`` rebuilds them at its end (oegen.search.documents.rebuild_if_new)."""
    apps.get_model("oegen", "SearchDocument").objects.all().delete()


def compare_by_code_point(apps, schema_editor):
    """As SQLite does by itself, whatever the language of the database is."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(
            'ALTER TABLE oegen_searchdocument ALTER COLUMN sort_key TYPE text COLLATE "C"'
        )


class Migration(migrations.Migration):
    dependencies = [
        ("contenttypes", "0002_remove_content_type_name"),
        ("oegen", "0027_index_sealing_times"),
    ]

    operations = [
        migrations.RunPython(empty_documents, empty_documents),
        migrations.AddField(
            model_name="searchdocument",
            name="sort_key",
            field=models.TextField(
                default="", help_text="Of the name: oegen.core.text.sort_key, cut short."
            ),
            preserve_default=False,
        ),
        migrations.RunPython(compare_by_code_point, migrations.RunPython.noop),
        migrations.AddIndex(
            model_name="searchdocument",
            index=models.Index(
                fields=["content_type", "sort_key", "object_id"], name="searchdocument_order"
            ),
        ),
    ]
