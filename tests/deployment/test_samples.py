"""samples.csv, as pandas writes it, made into request bodies. Real models are asked in tests/local/test_sample.py."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from deployment.errors import UnreadableError
from deployment.samples import Reply, fit, read_samples

NAMELESS = "The model was trained without column names: leave out `columns`."


def test_the_first_row_alone_and_several(tmp_path: Path) -> None:
    table = pd.DataFrame({"length": [1.5, None], "colour": ["red", None], "open": [True, False]})
    table.to_csv(tmp_path / "samples.csv", index=False)

    columns = ["length", "colour", "open"]
    assert read_samples(tmp_path).bodies() == [
        {"data": [[1.5, "red", True]], "columns": columns},
        {"data": [[1.5, "red", True], [None, None, False]], "columns": columns},
    ]


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("1", 1),
        ("-1.5e3", -1500.0),
        ("True", True),
        ("false", False),
        ("", None),
        ("nan", None),
        ("NaN", None),
        ("Infinity", "Infinity"),
        ("1e999", "1e999"),
        ("null", "null"),
        ("[1]", "[1]"),
        ("007", "007"),
        ("größer", "größer"),
    ],
)
def test_a_cell_is_typed_as_json_has_it(tmp_path: Path, text: str, cell: Any) -> None:
    (tmp_path / "samples.csv").write_text(f"a,b\n1,{text}\n", encoding="utf-8")

    ((one, other),) = read_samples(tmp_path).body(1)["data"]

    assert (one, other) == (1, cell)
    assert type(other) is type(cell)
    json.dumps(other, allow_nan=False)


def test_a_column_with_a_string_is_one_of_strings(tmp_path: Path) -> None:
    (tmp_path / "samples.csv").write_text("zip,age\n94110,1\n02134,2\n,\n")

    assert read_samples(tmp_path).body(3)["data"] == [["94110", 1], ["02134", 2], [None, None]]


def test_a_string_far_below_makes_its_column_one_of_strings(tmp_path: Path) -> None:
    (tmp_path / "samples.csv").write_text("zip\n" + "94110\n" * 20 + "02134\n")

    assert read_samples(tmp_path).body(1)["data"] == [["94110"]]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("", "expected a CSV file with a header and sample rows"),
        ("length\n", "expected sample rows below the header"),
        (",length\n0,1\n", "write it without its index: to_csv(index=False)"),
        ("a,b\n1,2\n3\n", "row 2 has 1 cells, the header 2"),
    ],
)
def test_what_holds_no_rows_is_refused(tmp_path: Path, content: str, sentence: str) -> None:
    (tmp_path / "samples.csv").write_text(content)

    with pytest.raises(UnreadableError) as caught:
        read_samples(tmp_path)

    assert sentence in str(caught.value)


def test_a_missing_file_says_what_is_expected(tmp_path: Path) -> None:
    with pytest.raises(UnreadableError, match="expected a CSV file with a header and sample rows"):
        read_samples(tmp_path)


@dataclass(frozen=True, slots=True)
class Model:
    """Answers bodies of one kind; `asked` are those that it was sent."""

    refuse: Callable[[dict[str, Any]], Reply | None]
    asked: list[dict[str, Any]] = field(default_factory=list)

    def __call__(self, body: dict[str, Any]) -> Reply:
        self.asked.append(body)
        return self.refuse(body) or Reply(200, {"predictions": [0 for _ in body["data"]]})


def fitted(tmp_path: Path, model: Model, text: str = "a,b\n1,2\n3,4\n") -> list[dict[str, Any]]:
    (tmp_path / "samples.csv").write_text(text)
    return fit(read_samples(tmp_path), model).bodies()


def test_what_is_answered_is_sent_with_names(tmp_path: Path) -> None:
    model = Model(lambda _: None)

    one, both = fitted(tmp_path, model)

    assert (one, both) == ({"data": [[1, 2]], "columns": ["a", "b"]}, {"data": [[1, 2], [3, 4]], "columns": ["a", "b"]})
    assert model.asked == [both, one]


@pytest.mark.parametrize("refusal", [Reply(400, {"detail": NAMELESS}), Reply(502, {"detail": "It failed."})])
def test_a_model_that_takes_no_names_is_sent_none(tmp_path: Path, refusal: Reply) -> None:
    bodies = fitted(tmp_path, Model(lambda body: refusal if "columns" in body else None))

    assert bodies == [{"data": [[1, 2]]}, {"data": [[1, 2], [3, 4]]}]


def test_one_prediction_for_several_rows_is_no_answer(tmp_path: Path) -> None:
    one = Reply(200, {"predictions": ["of the names"]})

    bodies = fitted(tmp_path, Model(lambda body: one if "columns" in body else None))

    assert bodies == [{"data": [[1, 2]]}, {"data": [[1, 2], [3, 4]]}]


def test_cells_that_have_to_be_strings_are_sent_as_strings(tmp_path: Path) -> None:
    def wants_strings(body: dict[str, Any]) -> Reply | None:
        faults = [
            {"pointer": f"/data/{index}/1", "detail": f"expected a string or null, got {row[1]}"}
            for index, row in enumerate(body["data"])
            if not isinstance(row[1], str)
        ]
        return Reply(400, {"detail": "A cell is wrong.", "errors": faults}) if faults else None

    one, _ = fitted(tmp_path, Model(wants_strings))

    assert one == {"data": [[1, "2"]], "columns": ["a", "b"]}


@pytest.mark.parametrize(
    ("refusal", "said"),
    [
        (Reply(400, {"detail": 'Wrong columns: unknown "b".'}), '400 Wrong columns: unknown "b".'),
        (
            Reply(
                400, {"detail": "Not a number.", "errors": [{"pointer": "/data/0/1", "detail": "expected a number"}]}
            ),
            "400 Not a number.",
        ),
    ],
    ids=["names", "cell"],
)
def test_what_names_the_fault_is_not_tried_without_names(tmp_path: Path, refusal: Reply, said: str) -> None:
    model = Model(lambda _: refusal)

    with pytest.raises(UnreadableError) as caught:
        fitted(tmp_path, model)

    assert str(caught.value) == f"{tmp_path / 'samples.csv'} does not fit the model: {said}"
    assert len(model.asked) == 1


def test_what_is_refused_in_every_form_is_said_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(UnreadableError) as caught:
        fitted(tmp_path, Model(lambda _: Reply(502, {"detail": "It failed:\n  really."})))

    assert str(caught.value) == f"{tmp_path / 'samples.csv'} does not fit the model: 502 It failed: really."
