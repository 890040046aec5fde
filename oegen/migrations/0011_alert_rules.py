from django.db import migrations


class Migration(migrations.Migration):
    """Alert rules are created after ``migrate`` (oegen.audit.seeding), not here any more."""

    dependencies = [("oegen", "0010_alerts")]
    operations = []
