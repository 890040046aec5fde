from django.db import migrations, models

PHASES = [
    ("planning", "In planning"),
    ("consented", "Consented"),
    ("construction", "In construction"),
    ("built", "Built"),
]
STAGES = {
    "planning": ["discovery", "design"],
    "consented": ["procurement"],
    "construction": ["construction", "commissioning"],
}


def set_phases(apps, schema_editor):
    """What the edition before the newest said follows with the next edition; until then nothing
    has changed."""
    projects = apps.get_model("registers", "RegisterProject").objects.using(
        schema_editor.connection.alias
    )
    present = projects.filter(is_vanished=False, state__isnull=False)
    present.filter(outcome="built").update(phase="built")
    for phase, stages in STAGES.items():
        present.filter(outcome="active", stage__code__in=stages).update(phase=phase)
    projects.exclude(phase="").update(
        previous_phase=models.F("phase"), previous_mw=models.F("capacity_mw")
    )


class Migration(migrations.Migration):
    dependencies = [
        ("registers", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="registerproject",
            name="phase",
            field=models.CharField(
                blank=True,
                choices=PHASES,
                default="",
                help_text="By the newest edition; empty if that does not have it.",
                max_length=12,
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="registerproject",
            name="previous_phase",
            field=models.CharField(blank=True, choices=PHASES, default="", max_length=12),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="registerproject",
            name="previous_mw",
            field=models.DecimalField(decimal_places=3, max_digits=12, null=True),
        ),
        migrations.RunPython(set_phases, migrations.RunPython.noop),
    ]
