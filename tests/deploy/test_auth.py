"""Who gets in, by the parameter Auth: each kind of credential right, wrong, foreign, expired and absent."""

import datetime as dt
import json
import shutil
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import requests
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from deployment.credentials import Signature
from deployment.findings import Level
from deployment.smoke import check_api
from golden.requests import read as requests_of
from tests.deploy.checks import POINTS, assert_problem
from tests.deploy.cloud import REGION, Api, Cloud
from tests.environments import GOLDEN

BODY = json.dumps(POINTS)
PASSWORD = "Correct-horse-7"


def post(api: Api, headers: Mapping[str, str]) -> requests.Response:
    content = {"Content-Type": "application/json"}
    return requests.post(f"{api.url}/predict", data=BODY, headers={**content, **headers}, timeout=30)


@dataclass(frozen=True, slots=True)
class Pool:
    arn: str
    client: str
    token: str


def make_pool(cloud: Cloud, name: str, seconds: int = 3600) -> Pool:
    """A user pool with one user, and an ID token of that user; Cognito's own tokens last five minutes at least."""
    cognito = cloud.client("cognito-idp")
    made = cognito.create_user_pool(PoolName=name)["UserPool"]
    flows = ["ALLOW_ADMIN_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]
    client = cognito.create_user_pool_client(
        UserPoolId=made["Id"],
        ClientName=name,
        ExplicitAuthFlows=flows,
        IdTokenValidity=seconds,
        TokenValidityUnits={"IdToken": "seconds"},
    )
    identity: dict[str, Any] = {"UserPoolId": made["Id"], "Username": "ada"}
    cognito.admin_create_user(**identity, MessageAction="SUPPRESS")
    cognito.admin_set_user_password(**identity, Password=PASSWORD, Permanent=True)
    client_id = client["UserPoolClient"]["ClientId"]
    result = cognito.admin_initiate_auth(
        UserPoolId=made["Id"],
        ClientId=client_id,
        AuthFlow="ADMIN_USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": "ada", "PASSWORD": PASSWORD},
    )
    return Pool(made["Arn"], client_id, result["AuthenticationResult"]["IdToken"])


@pytest.fixture(scope="module")
def pools(cloud: Cloud) -> Mapping[str, Pool]:
    return {name: make_pool(cloud, name, seconds) for name, seconds in (("ours", 3600), ("brief", 1))}


@pytest.fixture(scope="module")
def pool(pools: Mapping[str, Pool]) -> Pool:
    return pools["ours"]


@pytest.fixture(scope="module")
def apis(cloud: Cloud, project: Path, pools: Mapping[str, Pool]) -> Mapping[str, Api]:
    """One API for each kind of credential, deployed at once; they end with the local AWS."""
    pool_id = pools["ours"].arn.split("/")[1]
    parameters = {
        "signed": {"Auth": "iam"},
        "members": {"Auth": "cognito", "CognitoUserPoolArn": pools["ours"].arn},
        "brief": {"Auth": "cognito", "CognitoUserPoolArn": pools["brief"].arn},
        # A user pool as any issuer: the function runs beside the local AWS, which publishes the pool's keys.
        "bearers": {
            "Auth": "jwt",
            "JwtIssuer": f"https://cognito-idp.{REGION}.amazonaws.com/{pool_id}",
            "JwtAudience": pools["ours"].client,
            "JwtKeysUrl": f"http://127.0.0.1:4566/{pool_id}/.well-known/jwks.json",
        },
    }

    def deploy(name: str) -> Api:
        # `sam deploy` writes beside what was built
        copy = shutil.copytree(project, project.parent / f"auth-{name}")
        return cloud.deploy(copy, name, {"EndpointName": "iris", **parameters[name]})

    with ThreadPoolExecutor(len(parameters)) as pool:
        return dict(zip(parameters, pool.map(deploy, parameters), strict=True))


# --- AWS_IAM


@dataclass(frozen=True, slots=True)
class SignedApi:
    """An API that wants signatures, and two users: one may call it, the other may do nothing."""

    api: Api
    caller: Credentials
    stranger: Credentials

    def post(self, credentials: Credentials, *, at: dt.datetime | None = None) -> requests.Response:
        request = AWSRequest("POST", f"{self.api.url}/predict", {"Content-Type": "application/json"}, BODY)
        signer = SigV4Auth(credentials, "execute-api", REGION)
        # What add_auth does, at a time of our choice.
        request.context["timestamp"] = (at or dt.datetime.now(dt.UTC)).strftime("%Y%m%dT%H%M%SZ")
        request.headers["X-Amz-Date"] = request.context["timestamp"]
        signature = signer.signature(signer.string_to_sign(request, signer.canonical_request(request)), request)
        names = signer.signed_headers(signer.headers_to_sign(request))
        scope = f"Credential={signer.scope(request)}, SignedHeaders={names}, Signature={signature}"
        request.headers["Authorization"] = f"AWS4-HMAC-SHA256 {scope}"
        return post(self.api, dict(request.headers))


def make_user(cloud: Cloud, name: str, *, may_call: bool) -> Credentials:
    iam = cloud.client("iam")
    iam.create_user(UserName=name)
    if may_call:
        statement = {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": "arn:aws:execute-api:*:*:*/prod/*"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        iam.put_user_policy(UserName=name, PolicyName="call", PolicyDocument=document)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return Credentials(key["AccessKeyId"], key["SecretAccessKey"])


@pytest.fixture(scope="module")
def signed(cloud: Cloud, apis: Mapping[str, Api]) -> SignedApi:
    caller, stranger = make_user(cloud, "caller", may_call=True), make_user(cloud, "stranger", may_call=False)
    return SignedApi(apis["signed"], caller, stranger)


def test_a_signature_of_who_may_call_gets_in(signed: SignedApi) -> None:
    response = signed.post(signed.caller)

    assert response.status_code == 200, response.text
    assert len(response.json()["predictions"]) == len(POINTS["data"])


def test_smoke_signs(signed: SignedApi) -> None:
    golden = requests_of(GOLDEN)

    with httpx.Client(auth=Signature(signed.caller, REGION)) as client:
        findings = list(check_api(client, signed.api.url, golden))

    assert {finding.level for finding in findings} == {Level.OK}, findings


def test_no_signature_is_refused(signed: SignedApi) -> None:
    assert_problem(post(signed.api, {}), 403)


def test_an_api_key_is_no_signature(signed: SignedApi) -> None:
    assert post(signed.api, {"x-api-key": "0123456789012345678901234567890123456789"}).status_code == 403


def test_a_signature_with_another_secret_is_refused(signed: SignedApi) -> None:
    forged = Credentials(signed.caller.access_key, "another-secret")

    assert signed.post(forged).status_code == 403


def test_a_signature_of_who_may_not_call_is_refused(signed: SignedApi) -> None:
    assert signed.post(signed.stranger).status_code == 403


def test_an_expired_signature_is_refused(signed: SignedApi) -> None:
    assert signed.post(signed.caller, at=dt.datetime.now(dt.UTC) - dt.timedelta(hours=1)).status_code == 403


# --- Cognito


@pytest.fixture(scope="module")
def members(apis: Mapping[str, Api]) -> Api:
    """An API for the members of the pool."""
    return apis["members"]


def test_a_token_of_the_pool_gets_in(members: Api, pool: Pool) -> None:
    response = post(members, {"Authorization": pool.token})

    assert response.status_code == 200, response.text


def test_no_token_is_refused(members: Api) -> None:
    assert_problem(post(members, {}), 401)


def test_a_token_of_another_pool_is_refused(cloud: Cloud, members: Api) -> None:
    foreign = make_pool(cloud, "theirs")

    assert_problem(post(members, {"Authorization": foreign.token}), 401)


# --- Bearer tokens of another issuer


@pytest.fixture(scope="module")
def bearers(apis: Mapping[str, Api]) -> Api:
    return apis["bearers"]


def test_a_bearer_token_of_the_issuer_gets_in(bearers: Api, pool: Pool) -> None:
    response = post(bearers, {"Authorization": f"Bearer {pool.token}"})

    assert response.status_code == 200, response.text


def test_no_bearer_token_is_refused(bearers: Api) -> None:
    assert_problem(post(bearers, {}), 401)


def test_a_bearer_token_of_another_issuer_is_refused(cloud: Cloud, bearers: Api) -> None:
    foreign = make_pool(cloud, "elsewhere")

    assert_problem(post(bearers, {"Authorization": f"Bearer {foreign.token}"}), 401)


def test_a_changed_bearer_token_is_refused(bearers: Api, pool: Pool) -> None:
    header, _claims, signature = pool.token.split(".")

    assert_problem(post(bearers, {"Authorization": f"Bearer {header}.e30.{signature}"}), 401)


# --- Cognito's tokens, changed and expired


def test_a_changed_token_is_refused(members: Api, pool: Pool) -> None:
    header, _claims, signature = pool.token.split(".")

    assert_problem(post(members, {"Authorization": f"{header}.e30.{signature}"}), 401)


def test_what_is_no_token_is_refused(members: Api) -> None:
    assert_problem(post(members, {"Authorization": "Bearer nonsense"}), 401)


def test_an_expired_token_is_refused(apis: Mapping[str, Api], pools: Mapping[str, Pool]) -> None:
    assert_problem(post(apis["brief"], {"Authorization": pools["brief"].token}), 401)
