"""docs/parameters.md is what template.yaml says."""

from sam_template import load
from tests.docs import parameters


def test_the_page_is_current() -> None:
    assert parameters.page() == parameters.PAGE.read_text(), "run `make parameters`"


def test_each_parameter_stands_in_one_group() -> None:
    template = load(parameters.TEMPLATE)
    grouped = [name for _, names in parameters.groups(template) for name in names]

    assert sorted(grouped) == sorted(template["Parameters"])


def test_each_parameter_says_what_it_takes() -> None:
    declared = load(parameters.TEMPLATE)["Parameters"]

    assert [name for name, item in declared.items() if not item.get("Description")] == []
    assert [name for name, item in declared.items() if not parameters.values(item)] == []
