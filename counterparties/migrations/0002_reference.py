from django.db import migrations


class Migration(migrations.Migration):
    """Reference rows are created after ``migrate`` (oegen.audit.seeding), not here any more."""

    dependencies = [("counterparties", "0001_initial")]
    operations = []
