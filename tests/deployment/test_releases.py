"""Releases in S3 and the versions of functions, against moto."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from deployment.errors import DeployFailedError
from deployment.pruning import prune_versions
from deployment.releases import Release, Releases, choose


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> Iterator[boto3.Session]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    with mock_aws():
        made = boto3.Session(region_name="us-east-1")
        made.client("s3").create_bucket(Bucket="packages")
        yield made


def test_releases_are_numbered_and_kept(session: boto3.Session) -> None:
    releases = Releases(session, "packages", "iris-dev")
    others = Releases(session, "packages", "iris-devil")
    others.add({}, "t", "2 ok")

    for count in range(4):
        releases.add({"MaxRows": str(count), "ImageUri": f"r@sha256:{count}"}, f"{count}.template", "2 ok")
    removed = releases.prune(3)

    assert [(release.number, release.parameters["MaxRows"]) for release in releases.read()] == [
        (4, "3"),
        (3, "2"),
        (2, "1"),
    ]
    assert [release.number for release in removed] == [1]
    assert releases.read()[0].image == "sha256:3"
    assert len(others.read()) == 1


def release(number: int) -> Release:
    return Release(number, "", "", {}, "", "")


def test_rollback_goes_to_the_one_before_or_to_the_one_named() -> None:
    known = [release(3), release(2), release(1)]

    assert (choose(known, None).number, choose(known, 1).number) == (2, 1)


@pytest.mark.parametrize(("known", "number"), [([], None), ([1], None), ([1], 7)])
def test_a_release_that_is_not_there_is_one_line(known: list[int], number: int | None) -> None:
    with pytest.raises(DeployFailedError, match=r"there is no release .*; there are "):
        choose([release(each) for each in known], number)


class Lambda:
    """A function with seven versions, two of which aliases use."""

    def __init__(self) -> None:
        self.deleted: list[str] = []
        self.asked = ""

    def get_paginator(self, name: str) -> "Lambda":
        self.asked = name
        return self

    def paginate(self, **_: Any) -> Any:
        match self.asked:
            case "list_stack_resources":
                function = {"ResourceType": "AWS::Lambda::Function", "PhysicalResourceId": "iris"}
                return [{"StackResourceSummaries": [function, {"ResourceType": "AWS::IAM::Role"}]}]
            case "list_aliases":
                share = {"AdditionalVersionWeights": {"2": 0.1}}
                return [{"Aliases": [{"FunctionVersion": "1", "RoutingConfig": share}]}]
        versions = ["$LATEST", "1", "2", "3", "4", "10", "9"]
        return [{"Versions": [{"Version": version} for version in versions]}]

    def delete_function(self, FunctionName: str, Qualifier: str) -> None:  # noqa: N803  # boto3's names
        assert FunctionName == "iris"
        self.deleted.append(Qualifier)


class Session:
    region_name = "us-east-1"

    def __init__(self) -> None:
        self.made = Lambda()

    def client(self, service_name: Any) -> Any:
        assert service_name in {"lambda", "cloudformation"}
        return self.made


def test_old_versions_go_but_for_those_in_use() -> None:
    session = Session()

    assert prune_versions(session, "iris-dev", keep=2) == 2
    assert session.made.deleted == ["4", "3"]
