"""What of a model's folder goes with the built functions, and whether it lies where they read it."""

from pathlib import Path

from deployment import sam
from deployment.parameters import read_template
from deployment.settings import ROOT
from invoker.documents import PACKAGED_SCHEMA

RESOURCES = read_template()["Resources"]


def test_the_schema_lies_where_the_function_reads_it(tmp_path: Path) -> None:
    code = ROOT / RESOURCES["Function"]["Properties"]["CodeUri"]
    read = tmp_path / "Function" / PACKAGED_SCHEMA.relative_to(code)
    read.parent.mkdir(parents=True)
    schema = tmp_path / "schema.json"
    schema.write_text('{"title": "iris"}')

    sam._put(tmp_path, "schema.json", schema)  # noqa: SLF001  # what the build step does with it

    assert read.read_text() == '{"title": "iris"}'


def test_every_place_is_a_function_of_the_template() -> None:
    named = {place.partition("/")[0] for places in sam.PLACES.values() for place in places}

    assert {RESOURCES[name]["Type"] for name in named} == {"AWS::Serverless::Function"}
