"""The shape of the code: imports go one way, and every model of ours is audited."""

import ast
import gc
from functools import cache
from pathlib import Path

import pytest
from django.db import connection, models

from oegen import audit
from oegen.audit import checks
from oegen.models import AuditedModel, HistoryRow

ROOT = Path(__file__).resolve().parents[2]
LAYERS = ["oegen", "counterparties", "pipelines", "infopoints", "dashboard"]

#: The folders of ``oegen``: each imports only those before it.
FOLDERS = [
    *("core", "audit", "search", "asof", "people", "jobs", "alerts", "imports", "exports"),
    *("pages", "history", "api", "admin"),
]

#: What stands beside them puts them together, or is found by Django under this name.
BESIDE = {
    *("__init__", "admin_site", "apps", "conf", "models", "settings", "urls", "wsgi"),
    *("formats", "management", "migrations", "templatetags"),
}


def modules(package: str):
    return sorted((ROOT / package).rglob("*.py"))


@cache
def parsed(path: Path) -> ast.AST:
    # A collection of garbage meanwhile can make Python 3.11 fail (python/cpython#106905).
    gc.disable()
    try:
        return ast.parse(path.read_text())
    finally:
        gc.enable()


def imports(tree: ast.AST) -> list[str]:
    """The dotted names that are imported anywhere in the tree."""
    names = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    return names


def imported_packages(path: Path) -> set[str]:
    return {name.split(".")[0] for name in imports(parsed(path))}


@pytest.mark.parametrize("layer", LAYERS)
def test_no_module_imports_from_a_later_layer_or_from_the_tests(layer):
    forbidden = {*LAYERS[LAYERS.index(layer) + 1 :], "tests"}
    wrong = {
        str(path.relative_to(ROOT)): imported_packages(path) & forbidden
        for path in modules(layer)
        if imported_packages(path) & forbidden
    }
    assert wrong == {}


def test_every_folder_of_oegen_has_its_layer():
    there = {path.stem for path in (ROOT / "oegen").iterdir() if path.suffix in ("", ".py")}
    there -= {"__pycache__", "static", "templates"}
    assert there == {*FOLDERS, *BESIDE}


@pytest.mark.parametrize("folder", FOLDERS)
def test_no_folder_of_oegen_imports_from_a_later_one(folder):
    later = {*FOLDERS[FOLDERS.index(folder) + 1 :], *BESIDE}
    wrong = {
        (str(path.relative_to(ROOT)), name)
        for path in modules(f"oegen/{folder}")
        for name in imports(parsed(path))
        if name.split(".")[0] == "oegen" and name.split(".")[1] in later
    }
    assert wrong == set()


@pytest.mark.parametrize("layer", LAYERS)
def test_imports_of_ours_stand_at_the_top_of_the_module(layer):
    """An import inside a function hides a circle. ``AppConfig.ready`` is where Django has them."""
    wrong = {
        (str(path.relative_to(ROOT)), name)
        for path in modules(layer)
        if path.name != "apps.py"
        for function in ast.walk(parsed(path))
        if isinstance(function, ast.FunctionDef)
        for name in imports(function)
        if name.split(".")[0] in LAYERS
    }
    assert wrong == set()


def test_there_is_no_top_level_package_beside_the_known_ones():
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert packages == {*LAYERS, "tests"}


def test_every_model_of_ours_keeps_history():
    assert checks.business_models_have_history(None) == []


def test_a_model_and_a_many_to_many_field_without_history_fail_the_system_check():
    class Ledger(models.Model):  # noqa: DJ008
        owners = models.ManyToManyField("oegen.User", related_name="+")

        class Meta:
            app_label = "pipelines"

    from django.apps import apps

    try:
        errors = checks.business_models_have_history(None)
        assert {error.id for error in errors} == {"oegen.E001"}
        assert {error.obj for error in errors} == {Ledger, Ledger.owners.through}
    finally:
        del apps.all_models["pipelines"]["ledger"]
        del apps.all_models["pipelines"]["ledger_owners"]
        apps.clear_cache()


@pytest.mark.parametrize("model", audit.tracked_models(), ids=lambda model: model.__name__)
def test_history_has_every_column_of_its_model(model):
    history = model.history.model
    assert issubclass(history, HistoryRow)
    columns = {field.attname for field in model._meta.concrete_fields}
    assert columns <= {field.attname for field in history._meta.concrete_fields}


@pytest.mark.parametrize("model", audit.tracked_models(), ids=lambda model: model.__name__)
def test_many_to_many_links_are_models_of_their_own(model):
    assert [
        field for field in model._meta.many_to_many if field.remote_field.through._meta.auto_created
    ] == []


@pytest.mark.parametrize("model", audit.tracked_models(), ids=lambda model: model.__name__)
def test_foreign_keys_never_cascade_into_a_business_record(model):
    for field in model._meta.concrete_fields:
        if isinstance(field, models.ForeignKey) and field.remote_field.on_delete is models.CASCADE:
            assert field.name == model.PARENT_FIELD


@pytest.mark.django_db
def test_the_seeded_reference_rows_have_their_history():
    for model in audit.tracked_models():
        live = model.objects.count()
        assert model.history.filter(history_type="+").count() == live
        if live:
            assert issubclass(model, AuditedModel)
            assert {row.change_set.source for row in model.history.all()} == {"migration"}


@pytest.mark.django_db
def test_foreign_keys_are_indexed_in_history():
    """Timelines look links up by the record they belong to."""
    with connection.cursor() as cursor:
        for model in audit.tracked_models():
            table = model.history.model._meta.db_table
            constraints = connection.introspection.get_constraints(cursor, table).values()
            indexed = {entry["columns"][0] for entry in constraints if entry["columns"]}
            owner = model.parent_field()
            assert {"id", "change_set_id", *([owner.column] if owner else [])} <= indexed
