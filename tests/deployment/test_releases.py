"""Releases in S3 and the versions of functions, against moto."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from deployment.build import model_digest
from deployment.deployment_file import Deployment, Section
from deployment.errors import DeployFailedError
from deployment.parameters import Stack
from deployment.pruning import deployed_images, prune_images, prune_versions
from deployment.releases import Release, Releases, choose, last_good
from deployment.releasing import Releasing


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


def release(number: int, golden: str = "2 ok", template: str = "") -> Release:
    return Release(number, "", "", {}, template or f"{number}.template", golden)


def test_rollback_goes_to_the_one_before_or_to_the_one_named() -> None:
    known = [release(3), release(2), release(1)]

    assert (choose(known, None).number, choose(known, 1).number) == (2, 1)


def test_rollback_goes_past_a_release_that_failed_and_past_what_is_deployed_already() -> None:
    known = [release(4, template="2.template"), release(3, "1 failed"), release(2), release(1)]

    assert choose(known, None).number == 1
    assert choose(known, 3).number == 3
    assert last_good([release(2, "1 failed"), release(1, "1 failed")]) is None


def test_a_deployment_whose_golden_requests_failed_asks_them_again(session: boto3.Session) -> None:
    def ignore(_: Any) -> None:
        pass

    deployment = Deployment(Path("iris"), "iris", "dev", Section())
    stack = Stack("iris-dev", {}, {"MaxRows": "1"}, deployment=deployment)
    releasing = Releasing(session, stack, ignore, ignore, lambda _: False)
    releases = Releases(session, "packages", "iris-dev")
    asked = []
    for golden in ("1 failed", "2 ok"):
        releases.add({"MaxRows": "1"}, "t", golden)
        asked.append(not releasing.is_recorded(releases, "t"))

    assert asked == [True, False]


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


def test_old_images_go_but_for_those_that_a_release_names(session: boto3.Session) -> None:
    ecr = session.client("ecr")
    ecr.create_repository(repositoryName="model-api/iris")
    digests = []
    for number in range(6):
        manifest = json.dumps({"n": number})
        put = ecr.put_image(
            repositoryName="model-api/iris",
            imageManifest=manifest,
            # without it moto takes one of few, the same for two images now and then
            imageDigest=f"sha256:{hashlib.sha256(manifest.encode()).hexdigest()}",
            imageManifestMediaType="application/vnd.oci.image.manifest.v1+json",
            imageTag=str(number),
        )
        digests.append(put["image"]["imageId"]["imageDigest"])
    for stack, digest in (("iris-dev", digests[0]), ("iris-prod", digests[2]), ("wine-dev", digests[1])):
        Releases(session, "packages", stack).add({"ImageUri": f"r/model-api/iris@{digest}"}, "t", "2 ok")
    template = '{"Parameters": {"ImageUri": {"Type": "String"}}, "Resources": {"T": {"Type": "AWS::SNS::Topic"}}}'
    session.client("cloudformation").create_stack(
        StackName="by-sam",
        TemplateBody=template,
        Parameters=[{"ParameterKey": "ImageUri", "ParameterValue": f"r/model-api/iris@{digests[3]}"}],
    )
    used = Releases(session, "packages", "iris-dev").images("iris") | deployed_images(session)
    before = len(ecr.describe_images(repositoryName="model-api/iris")["imageDetails"])

    removed = prune_images(session, "model-api/iris", used, keep=2)

    left = {item["imageDigest"] for item in ecr.describe_images(repositoryName="model-api/iris")["imageDetails"]}
    assert used == {digests[0], digests[2], digests[3]}
    assert used <= left
    # Which two are the newest is open: all were pushed within one second.
    assert removed == before - len(left) >= 1

    pull = {"Sid": "a", "Effect": "Allow", "Principal": "*", "Action": "ecr:BatchGetImage"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [pull]})
    ecr.set_repository_policy(repositoryName="model-api/iris", policyText=policy)
    assert prune_images(session, "model-api/iris", (), keep=1) == 0


def test_a_release_names_the_models_files(session: boto3.Session, tmp_path: Path) -> None:
    (tmp_path / "model.json").write_text("{}")
    before = model_digest(tmp_path)
    (tmp_path / "golden.json").write_text("[]")
    (tmp_path / "deployment.toml").write_text("")
    same = model_digest(tmp_path)
    (tmp_path / "model.json").rename(tmp_path / "other.json")

    assert before == same != model_digest(tmp_path)
    releases = Releases(session, "packages", "iris-dev")
    assert releases.add({}, "t", "2 ok", before).model == releases.read()[0].model == before


def test_a_release_of_an_earlier_version_is_read(session: boto3.Session) -> None:
    known = {"number": 1, "time": "t", "who": "a", "parameters": {}, "template": "t", "golden": "2 ok"}
    session.client("s3").put_object(
        Bucket="packages", Key="model-api/iris-dev/000001.json", Body=json.dumps(known).encode()
    )

    assert Releases(session, "packages", "iris-dev").read()[0].model == ""
