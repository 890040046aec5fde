from django.db import migrations

#: The filter of each list that starts with less than all, by the list's name.
STARTS = {"pipelines": "status", "counterparties": "kind", "infopoints": "status"}


def say_all(apps, schema_editor):
    """The views were saved when a list without that filter showed everything."""
    for view in _views(apps, schema_editor):
        name = STARTS[view.list_name]
        if not any(part.startswith(f"{name}=") for part in view.query.split("&")):
            view.query = f"{name}=all&{view.query}".rstrip("&")
            view.save(update_fields=["query"])


def say_nothing(apps, schema_editor):
    for view in _views(apps, schema_editor):
        words = f"{STARTS[view.list_name]}=all"
        view.query = "&".join(part for part in view.query.split("&") if part != words)
        view.save(update_fields=["query"])


def _views(apps, schema_editor):
    views = apps.get_model("oegen", "SavedView").objects.using(schema_editor.connection.alias)
    return list(views.filter(list_name__in=STARTS))


class Migration(migrations.Migration):
    dependencies = [("oegen", "0022_sort_keys")]

    operations = [migrations.RunPython(say_all, say_nothing)]
