import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("oegen", "0028_order_of_hits"),
    ]

    operations = [
        migrations.CreateModel(
            name="HiddenView",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="StandingCheck",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("event", models.CharField(max_length=40, unique=True)),
                ("day", models.DateField()),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.AlterModelOptions(
            name="savedview",
            options={
                "ordering": ["name"],
                "permissions": [("remove_shared_view", "Can remove views that others share")],
            },
        ),
        migrations.AddField(
            model_name="alertpreference",
            name="only_mine",
            field=models.BooleanField(
                default=False, help_text="Of a digest: only of the person's own projects."
            ),
        ),
        migrations.AddField(
            model_name="alertrule",
            name="kinds",
            field=models.CharField(
                blank=True,
                help_text="Of “Begins to need attention”: which of these it tells, the morning after they began. None ticked: all of them. What stood when the rule was switched on is never told. That a project is red, rated worse or overdue, or its RTB date slipped, are events of their own.",
                max_length=400,
                verbose_name="reasons",
            ),
        ),
        migrations.AddField(
            model_name="historicalalertrule",
            name="kinds",
            field=models.CharField(
                blank=True,
                help_text="Of “Begins to need attention”: which of these it tells, the morning after they began. None ticked: all of them. What stood when the rule was switched on is never told. That a project is red, rated worse or overdue, or its RTB date slipped, are events of their own.",
                max_length=400,
                verbose_name="reasons",
            ),
        ),
        migrations.AddField(
            model_name="savedview",
            name="shared_with",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="auth.group",
            ),
        ),
        migrations.AddConstraint(
            model_name="savedview",
            constraint=models.CheckConstraint(
                condition=models.Q(("is_shared", False), ("shared_with", None), _connector="OR"),
                name="savedview_shared_once",
            ),
        ),
        migrations.AddField(
            model_name="hiddenview",
            name="user",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="hidden_views",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="hiddenview",
            name="view",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="hidden_by",
                to="oegen.savedview",
            ),
        ),
        migrations.AddConstraint(
            model_name="hiddenview",
            constraint=models.UniqueConstraint(fields=("user", "view"), name="hiddenview_unique"),
        ),
    ]
