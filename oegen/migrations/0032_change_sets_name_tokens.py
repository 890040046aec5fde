from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("oegen", "0031_api_as_a_source"),
    ]

    operations = [
        migrations.AddField(
            model_name="changeset",
            name="token",
            field=models.UUIDField(
                editable=False,
                help_text="The access token by which it was written, if by one.",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="changeset",
            name="token_name",
            field=models.CharField(
                blank=True, editable=False, help_text="The token's, as it was then.", max_length=80
            ),
        ),
    ]
