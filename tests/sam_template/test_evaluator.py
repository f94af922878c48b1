from typing import Any

import pytest

from sam_template import Evaluator, TemplateError

TEMPLATE: dict[str, Any] = {
    "Parameters": {"Count": {"Type": "Number", "Default": 1}, "Name": {"Type": "String", "Default": "model"}},
    "Conditions": {
        "IsOne": {"Fn::Equals": [{"Ref": "Count"}, 1]},
        "IsNotOne": {"Fn::Not": [{"Condition": "IsOne"}]},
        "IsNamed": {"Fn::Contains": [["model", "other"], {"Ref": "Name"}]},
    },
    "Resources": {"Always": {}, "One": {"Condition": "IsOne"}, "Many": {"Condition": "IsNotOne"}},
}


def test_a_number_equals_the_number_that_it_is_written_as() -> None:
    """CloudFormation compares text; a template may write 1 where a parameter holds "1"."""
    assert Evaluator(TEMPLATE, {}).holds("IsOne")
    assert Evaluator(TEMPLATE, {"Count": "2"}).holds("IsNotOne")


def test_resources_are_made_by_their_condition() -> None:
    assert set(Evaluator(TEMPLATE, {}).made(TEMPLATE["Resources"])) == {"Always", "One"}
    assert set(Evaluator(TEMPLATE, {"Count": "2"}).made(TEMPLATE["Resources"])) == {"Always", "Many"}


def test_contains() -> None:
    assert Evaluator(TEMPLATE, {}).holds("IsNamed")
    assert not Evaluator(TEMPLATE, {"Name": "third"}).holds("IsNamed")


def test_what_is_no_value_is_left_out() -> None:
    evaluator = Evaluator(TEMPLATE, {})

    assert evaluator.resolve({"a": {"Ref": "AWS::NoValue"}, "b": [{"Ref": "AWS::NoValue"}, 1]}) == {"b": [1]}


def test_text_is_split_joined_and_selected() -> None:
    evaluator = Evaluator(TEMPLATE, {"Name": "a,b,c"})
    parts = {"Fn::Split": [",", {"Ref": "Name"}]}

    assert evaluator.resolve(parts) == ["a", "b", "c"]
    assert evaluator.resolve({"Fn::Select": [1, parts]}) == "b"
    assert evaluator.resolve({"Fn::Join": ["-", parts]}) == "a-b-c"


def test_a_list_of_values_is_a_list() -> None:
    template = {"Parameters": {"Types": {"Type": "CommaDelimitedList", "Default": "a/b,c/d"}}}

    assert Evaluator(template, {}).resolve({"Ref": "Types"}) == ["a/b", "c/d"]


def test_a_mapping_is_looked_up() -> None:
    template = TEMPLATE | {"Mappings": {"Limits": {"1": {"Seconds": 26}}}}

    assert Evaluator(template, {}).resolve({"Fn::FindInMap": ["Limits", {"Ref": "Count"}, "Seconds"]}) == 26


def test_functions_that_only_aws_can_evaluate_stay() -> None:
    node = {"Fn::GetAtt": ["Api", "Arn"]}

    assert Evaluator(TEMPLATE, {}).resolve(node) == node


def test_an_unknown_parameter_is_refused() -> None:
    with pytest.raises(TemplateError, match="the template has no parameter Nme"):
        Evaluator(TEMPLATE, {"Nme": "x"})
