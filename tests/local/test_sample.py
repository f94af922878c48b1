from pathlib import Path

import pytest

from local.sample import body
from predictor.rows import Signature

FLOWERS = '{"data": [[1,2],[3,4],[3,3],[10,1],[7,8]]}'


@pytest.mark.parametrize(
    ("signature", "expected"),
    [
        (Signature(features=2), FLOWERS),
        (Signature(features=3), '{"data": [[0,0,0]]}'),
        (Signature(features=3, text=frozenset({1})), '{"data": [[0,"",0]]}'),
        (Signature(features=3, text=None), None),
        (Signature(), None),
        (Signature(features=2, names=("a", "b"), frame=True, text=frozenset({0})), None),
    ],
)
def test_a_body_made_up_for_a_model(signature: Signature, expected: str | None, tmp_path: Path) -> None:
    assert body(signature, tmp_path) == expected


def test_a_row_of_the_models_own_samples(tmp_path: Path) -> None:
    (tmp_path / "samples.csv").write_text("a,b,c\n1.5,red,3\n4,blue,6\n")

    assert body(Signature(features=3, text=frozenset({1})), tmp_path) == '{"data": [[1.5,"red",3.0]]}'
