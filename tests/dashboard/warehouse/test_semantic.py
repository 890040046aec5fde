"""What is defined for other tools: the SQL of each measure gives the product's figure, and files
say nothing that the tables don't have."""

import re
from datetime import timedelta

import pyarrow as pa
import pytest
import yaml
from deltalake import QueryBuilder
from django.core.management import CommandError, call_command

from dashboard.figures import FIGURES
from dashboard.warehouse import registers, syncing
from dashboard.warehouse.checking import Tables
from dashboard.warehouse.semantic import files, metric_views, sql, tmdl
from dashboard.warehouse.semantic.dax import AS_OF, AS_OF_DAY
from dashboard.warehouse.semantic.measures import MEASURES
from dashboard.warehouse.semantic.register_measures import REGISTER_MEASURES
from oegen.core import clock
from tests.dashboard.warehouse.product import (
    assert_measures,
    assert_register_measures,
    make_editions,
    make_measured_portfolio,
)
from tests.dashboard.warehouse.tmdl_reader import Node, parse, references
from tests.support.builders import make_pipeline

pytestmark = pytest.mark.django_db

SCHEMA = "main.oegen"


@pytest.mark.usefixtures("few_models")
@pytest.mark.parametrize(
    "days_ago", [(0, 30), pytest.param((1, 28, 29, 31, 60, 80), marks=pytest.mark.heavy)]
)
def test_the_sql_of_each_measure_gives_the_products_figure(warehouse, days_ago):
    make_measured_portfolio()
    warehouse.sync()
    tables = Tables(warehouse.destination)
    for number in days_ago:
        assert_measures(clock.today() - timedelta(days=number), sql.query, tables.run)


@pytest.mark.usefixtures("few_models")
def test_measures_of_registers_are_what_their_list_adds_up(warehouse):
    make_editions()
    warehouse.sync()
    engine = QueryBuilder()
    engine.register(registers.REGISTER_PROJECTS.name, warehouse.table("register_projects"))
    assert_register_measures(
        sql.register_query, lambda query: pa.table(engine.execute(query).read_all()).to_pylist()
    )


def test_every_figure_is_defined_once():
    written = yaml.safe_load(dict(files.files(SCHEMA))["metrics.yaml"])
    assert [one["name"] for one in written["figures"]] == list(FIGURES)
    for one in written["figures"]:
        figure = FIGURES[one["name"]]
        assert (one["unit"], one["definition"]) == (figure.unit, figure.definition)
        assert {"measures", "grouped", "read_from"} & one.keys()
    assert [one["name"] for one in written["measures"]] == list(MEASURES)
    assert [one["name"] for one in written["registers"]] == list(REGISTER_MEASURES)
    for one in (*written["measures"], *written["registers"]):
        assert one["definition"] and one["unit"] and one["sql"]


@pytest.mark.usefixtures("few_models")
@pytest.mark.parametrize("table", metric_views.TABLES, ids=lambda table: table.name)
def test_metric_views_name_what_their_source_has(table, warehouse):
    make_pipeline("Solar", capacity_mw=1)
    warehouse.sync()
    written = yaml.safe_load(dict(files.files(SCHEMA))[f"databricks/{table.name}_metrics.yaml"])
    assert written["version"] == 1.1
    assert written.keys() == {"version", "comment", "source", "dimensions", "measures"}
    text = written["source"]
    assert set(re.findall(r"\b(?:FROM|JOIN) (\S+)", text)) == {
        f"{SCHEMA}.{table.name}",
        f"{SCHEMA}.days",
    }
    source = metric_views.metric_view(table, "")["source"]
    [row] = Tables(warehouse.destination).run(f"{source} WHERE days.day = DATE '{clock.today()}'")
    for one in written["dimensions"]:
        assert one["expr"] in row
        assert one["comment"]
    named = [one["name"] for one in (*written["dimensions"], *written["measures"])]
    assert len(named) == len(set(named))
    others = re.compile(r"'[^']*'|\b(before|entry|result)\b(\.\w+)?")
    for one in written["measures"]:
        assert one["comment"]
        assert one["display_name"]
        assert one["format"]["type"] == "number"
        words = set(re.findall(r"\b[a-z_]\w*", others.sub("", one["expr"])))
        assert words
        assert words <= row.keys(), one["name"]
        assert one["expr"].count("(") == one["expr"].count(")")


def test_the_metric_view_of_registers_names_what_the_table_has():
    written = yaml.safe_load(dict(files.files(SCHEMA))["databricks/register_projects_metrics.yaml"])
    assert written["source"] == f"{SCHEMA}.register_projects"
    names = registers.REGISTER_PROJECTS.schema.names
    assert {one["expr"] for one in written["dimensions"]} < set(names)
    assert [one["name"] for one in written["measures"]] == list(REGISTER_MEASURES)
    for one in written["measures"]:
        words = set(re.findall(r"\b[a-z_]\w*", re.sub(r"'[^']*'", "", one["expr"])))
        assert words <= {*names}, one["name"]


# The model of Power BI --------------------------------------------------------------------------


@pytest.fixture
def model() -> dict[str, Node]:
    prefix = "power-bi/definition/"
    return {
        name.removeprefix(prefix): parse(text)
        for name, text in files.files(SCHEMA)
        if name.startswith(prefix)
    }


def test_the_model_has_the_columns_of_the_tables(model):
    schemas = {table.name: table.schema for table in tmdl.tables()}
    refs = [one.name for one in model["model.tmdl"].children if one.text.startswith("ref ")]
    names = [name.removeprefix("tables/").removesuffix(".tmdl") for name in model if "/" in name]
    assert refs == names == list(schemas)
    known = {table.name for table in syncing.all_tables()} | {"metric_values_daily"}
    assert schemas.keys() <= known
    for name, schema in schemas.items():
        [table] = model[f"tables/{name}.tmdl"].children
        columns = {one.value("sourceColumn"): one for one in table.all("column")}
        assert list(columns) == schema.names
        for column, node in columns.items():
            assert node.name == column
            assert node.description == schema.field(column).metadata[b"comment"].decode()
            assert node.value("dataType") == tmdl.data_type(schema.field(column).type)[0]
            assert node.value("summarizeBy") == "none"
        [partition] = table.all("partition")
        assert partition.text == f"partition {name} = m"
        [source] = [one for one in partition.children if one.text == "source ="]
        assert f'ReadTable("{name}")' in " ".join(source.expression)


def test_every_measure_of_the_model_is_described_and_names_what_is_there(model):
    columns = {table.name: set(table.schema.names) for table in tmdl.tables()}
    measures = {}
    for table in columns:
        [node] = model[f"tables/{table}.tmdl"].children
        for one in node.all("measure"):
            assert one.name not in measures
            assert one.name not in columns[table]
            measures[one.name] = one
    every = (*MEASURES.values(), *REGISTER_MEASURES.values())
    assert {one.title for one in every} < measures.keys()
    for name, one in measures.items():
        assert one.description, name
        assert one.value("formatString"), name
        text = "\n".join(one.expression)
        assert text.count("(") == text.count(")") > 0
        used = list(references(text))
        assert all(column in columns[table] for table, column in used), name
        others = set(re.findall(r"(?<!')\[([^\]]+)\]", text))
        assert others <= measures.keys() - {name}
        assert used or name == AS_OF
    for measure in every:
        text = " ".join(measures[measure.title].expression)
        assert f"'{measure.table.name}'[{measure.column}]" in text
    for measure in MEASURES.values():
        text = " ".join(measures[measure.title].expression)
        assert {AS_OF, AS_OF_DAY} & set(re.findall(r"\[([^\]]+)\]", text))


def test_relations_go_to_keys(model):
    found = [
        (one.value("fromColumn").split("."), one.value("toColumn").split("."))
        for one in model["relationships.tmdl"].children
    ]
    assert len(found) == len(tmdl.RELATIONS)
    for (table, column), (other, key) in found:
        for name, own in ((table, column), (other, key)):
            [node] = model[f"tables/{name}.tmdl"].children
            assert own in {one.name for one in node.all("column")}
        [node] = model[f"tables/{other}.tmdl"].children
        assert [one.name for one in node.all("column") if "isKey" in str(one.children)] == [key]


def test_the_command_writes_files_that_say_what_was_not_tried(tmp_path, capsys):
    call_command("warehouse_models", str(tmp_path))
    assert "not opened in Power BI or Databricks" in capsys.readouterr().out
    texts = {str(path.relative_to(tmp_path)): path.read_text() for path in tmp_path.rglob("*.*")}
    silent = {"power-bi/definition/database.tmdl", "power-bi/definition/relationships.tmdl"}
    assert {name for name, text in texts.items() if files.NOTE not in text} == silent
    before = dict(texts)
    call_command("warehouse_models", str(tmp_path))
    assert before == {
        str(path.relative_to(tmp_path)): path.read_text() for path in tmp_path.rglob("*.*")
    }


def test_a_place_that_is_no_schema_is_refused(tmp_path):
    with pytest.raises(CommandError, match=r"give CATALOG\.SCHEMA"):
        call_command("warehouse_models", str(tmp_path), schema="main")
    (tmp_path / "file").write_text("")
    with pytest.raises(CommandError, match="can't be written"):
        call_command("warehouse_models", str(tmp_path / "file"))
