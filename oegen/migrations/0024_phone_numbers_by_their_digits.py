from django.db import migrations


def forget_documents(apps, schema_editor):
    """They are made anew at the end of migrating, with what search reads now."""
    apps.get_model("oegen", "SearchDocument").objects.all().delete()


class Migration(migrations.Migration):
    dependencies = [("oegen", "0023_views_of_all")]

    operations = [migrations.RunPython(forget_documents, migrations.RunPython.noop)]
