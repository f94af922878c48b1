"""The template works in each of AWS's partitions: China, GovCloud and the others that botocore knows."""

import re
from collections.abc import Mapping
from typing import Any

import pytest
from botocore.loaders import Loader

from deployment.parameters import read_template
from sam_template import Evaluator
from tests.template import modes
from tests.template.modes import MODES
from tests.template.security import nodes

TEMPLATE = read_template()
PARTITIONS: Mapping[str, str] = {
    one["id"]: one["outputs"]["dnsSuffix"] for one in Loader().load_data("partitions")["partitions"]
}
ARNS = {
    name: value
    for given in MODES.values()
    for name, value in given.items()
    if value.startswith("arn:") and not name.startswith("Jwt")
}


def image(partition: str) -> str:
    suffix = PARTITIONS[partition]
    return modes.IMAGE.replace("amazonaws.com", suffix)


def test_the_best_known_partitions_are_among_them() -> None:
    assert {"aws", "aws-cn", "aws-us-gov"} <= PARTITIONS.keys()


@pytest.mark.parametrize("partition", PARTITIONS)
def test_an_image_of_each_partition_is_taken(partition: str) -> None:
    pattern = TEMPLATE["Parameters"]["ImageUri"]["AllowedPattern"]

    assert re.fullmatch(pattern, image(partition))


def test_an_image_elsewhere_is_refused() -> None:
    pattern = TEMPLATE["Parameters"]["ImageUri"]["AllowedPattern"]

    for uri in (modes.IMAGE.replace("amazonaws.com", "example.com"), modes.IMAGE.replace(".com/", ".com.evil/")):
        assert not re.fullmatch(pattern, uri)


@pytest.mark.parametrize("partition", PARTITIONS)
@pytest.mark.parametrize("repository", ["models/iris", "iris", "team.com/models/iris"])
def test_the_model_may_pull_its_image_in_each_partition(partition: str, repository: str) -> None:
    given = {"Hosting": "realtime", "ImageUri": image(partition).replace("models/iris", repository)}
    role = Evaluator(TEMPLATE, given).resolve(TEMPLATE["Resources"]["ModelRole"])
    [statement] = [
        statement
        for policy in role["Properties"]["Policies"]
        for statement in policy["PolicyDocument"]["Statement"]
        if "ecr:BatchGetImage" in statement["Action"]
    ]

    assert statement["Resource"] == f"arn:aws:ecr:us-east-1:123456789012:repository/{repository}"


@pytest.mark.parametrize("partition", PARTITIONS)
@pytest.mark.parametrize("name", sorted(ARNS))
def test_an_arn_of_each_partition_is_taken(partition: str, name: str) -> None:
    declared = TEMPLATE["Parameters"][name]

    assert re.fullmatch(declared["AllowedPattern"], ARNS[name].replace("arn:aws:", f"arn:{partition}:"))


def test_each_parameter_that_is_an_arn_is_tried() -> None:
    assert {name for name in TEMPLATE["Parameters"] if name.endswith("Arn")} == set(ARNS)


def texts(node: Any) -> list[str]:
    return [one for one in nodes(node) if isinstance(one, str)]


def test_no_arn_names_a_partition_and_no_host_a_suffix() -> None:
    """But for names of services, the same everywhere, and the suffixes that are taken out of an image's URI."""
    written = [text for resource in TEMPLATE["Resources"].values() for text in texts(resource["Properties"])]
    services = re.compile(r"[a-z]+\.amazonaws\.com")

    assert [text for text in written if "arn:aws" in text] == []
    hosts = [text for text in written if "amazonaws" in text and not services.fullmatch(text)]
    assert {text.strip("./") for text in hosts} <= {*PARTITIONS.values(), "amazonaws.com.cn", "amazonaws.eu"}
