"""What migrations may rely on, and how databases of older releases go on.

Migrations that a squashed one replaces are kept for one release and may do what they did.
"""

import ast
from importlib import import_module
from inspect import getsource

import pytest
from django.apps import apps
from django.db import connection, models
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from tests.architecture.test_architecture import LAYERS

LOADER = MigrationLoader(None)
OURS = {key: one for key, one in LOADER.disk_migrations.items() if key[0] in LAYERS}
SQUASHED = {key: one.replaces for key, one in OURS.items() if one.replaces}
#: With the replaced migrations beside what replaces them.
OLD_GRAPH = MigrationLoader(None, replace_migrations=False).graph
REPLACED = {key for replaced in SQUASHED.values() for key in replaced}

#: Each way to stop between the first and the last of the replaced migrations of an application.
HALF_WAY = [
    (app_label, count)
    for (app_label, _), replaced in SQUASHED.items()
    for count in range(1, len(replaced))
]


def names_of_ours(tree: ast.Module) -> set[str]:
    """The dotted names of our code that a module uses."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Attribute):
            names.add(ast.unparse(node))
    names = {name for name in names if name.split(".")[0] in LAYERS}
    return {name for name in names if not any(one.startswith(f"{name}.") for one in names)}


@pytest.mark.parametrize("key", sorted(set(OURS) - REPLACED), ids=".".join)
def test_a_migration_imports_no_code_of_ours_but_field_classes(key):
    """Whatever else it used would change under it."""
    for name in names_of_ours(ast.parse(getsource(import_module(OURS[key].__module__)))):
        module, _, attribute = name.rpartition(".")
        found = getattr(import_module(module), attribute)
        assert isinstance(found, type), name
        assert issubclass(found, models.Field), name


@pytest.mark.parametrize("layer", LAYERS)
def test_no_migration_needs_those_of_a_later_application(layer):
    later = set(LAYERS[LAYERS.index(layer) + 1 :])
    needed = {
        parent
        for leaf in LOADER.graph.leaf_nodes(layer)
        for parent in LOADER.graph.forwards_plan(leaf)
    }
    assert {app_label for app_label, _ in needed} & later == set()


def test_a_new_database_runs_no_replaced_migration():
    assert set(LOADER.graph.nodes) & REPLACED == set()


@pytest.mark.django_db
@pytest.mark.parametrize(("app_label", "count"), HALF_WAY)
def test_a_database_that_stopped_half_way_goes_on_with_the_old_migrations(
    app_label, count, monkeypatch
):
    [replaced] = [names for (label, _), names in SQUASHED.items() if label == app_label]
    missing = {one for key in replaced[count:] for one in OLD_GRAPH.backwards_plan(key)}
    missing |= {key for key, names in SQUASHED.items() if missing & set(names)}
    graph = LOADER.graph
    missing |= {key for key in graph.nodes if missing & set(graph.forwards_plan(key))}
    applied = MigrationRecorder(connection).applied_migrations() | dict.fromkeys(REPLACED)
    applied = {key: row for key, row in applied.items() if key not in missing}
    monkeypatch.setattr(MigrationRecorder, "applied_migrations", lambda recorder: dict(applied))

    executor = MigrationExecutor(connection)
    executor.loader.check_consistent_history(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    planned = [(one.app_label, one.name) for one, _ in plan]
    assert [key for key in planned if key in replaced] == replaced[count:]


def test_every_application_with_models_has_migrations():
    with_models = {label for label in LAYERS if any(apps.get_app_config(label).get_models())}
    assert {app_label for app_label, _ in OURS} == with_models
