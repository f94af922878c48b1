import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from local.errors import ServiceError
from local.signature import Account, SignedRequest, verify

ACCOUNT = Account(access_key_id="key", region="us-east-1", secret_access_key="secret")
CREDENTIALS = Credentials("key", "secret")
SCOPE = ("sagemaker", "us-east-1")
TARGET = "/endpoints/demo/invocations"
MISMATCH = (
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key "
    "and signing method. Consult the service documentation for details."
)


def sign(
    credentials: Credentials = CREDENTIALS, scope: tuple[str, str] = SCOPE, *, target: str = TARGET, **headers: str
) -> SignedRequest:
    """Sign the body {} as botocore's clients do."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = AWSRequest("POST", f"http://127.0.0.1:8081{target}", headers=named, data=b"{}")
    SigV4Auth(credentials, *scope).add_auth(request)
    lower = [(name.lower(), value) for name, value in request.headers.items()]
    return SignedRequest("POST", target, [("host", "127.0.0.1:8081"), *lower], b"{}")


def with_header(request: SignedRequest, name: str, value: str) -> SignedRequest:
    return replace(request, headers=[(key, value if key == name else old) for key, old in request.headers])


def without_header(request: SignedRequest, name: str) -> SignedRequest:
    return replace(request, headers=[(key, value) for key, value in request.headers if key != name])


def now() -> datetime:
    return datetime.now(UTC)


def test_takes_what_botocore_signs() -> None:
    verify(sign(content_type="application/json", x_amzn_sagemaker_inference_id="1"), ACCOUNT, now())


def test_takes_a_query() -> None:
    verify(sign(target=f"{TARGET}?b=2&a=1"), ACCOUNT, now())


def test_takes_a_request_four_minutes_old() -> None:
    verify(sign(), ACCOUNT, now() + timedelta(minutes=4))


def test_a_header_that_was_not_signed_may_be_added() -> None:
    request = sign()

    verify(replace(request, headers=[*request.headers, ("user-agent", "curl/8")]), ACCOUNT, now())


def test_refuses_another_secret() -> None:
    with pytest.raises(ServiceError, match=MISMATCH):
        verify(sign(Credentials("key", "wrong")), ACCOUNT, now())


def test_refuses_another_access_key() -> None:
    with pytest.raises(ServiceError, match="The security token included in the request is invalid"):
        verify(sign(Credentials("other", "secret")), ACCOUNT, now())


def test_refuses_a_session_token_that_it_did_not_give_out() -> None:
    with pytest.raises(ServiceError, match="The security token included in the request is invalid"):
        verify(sign(Credentials("key", "secret", "session")), ACCOUNT, now())


def test_refuses_another_body() -> None:
    with pytest.raises(ServiceError, match=MISMATCH):
        verify(replace(sign(), body=b'{"data": []}'), ACCOUNT, now())


def test_refuses_a_body_other_than_the_signed_hash() -> None:
    request = sign(x_amz_content_sha256=hashlib.sha256(b"{}").hexdigest())
    verify(request, ACCOUNT, now())

    with pytest.raises(ServiceError, match=MISMATCH):
        verify(replace(request, body=b"[]"), ACCOUNT, now())


def test_refuses_an_unsigned_payload() -> None:
    with pytest.raises(ServiceError, match=MISMATCH):
        verify(sign(x_amz_content_sha256="UNSIGNED-PAYLOAD"), ACCOUNT, now())


def test_refuses_another_path() -> None:
    with pytest.raises(ServiceError, match=MISMATCH):
        verify(replace(sign(), target="/endpoints/other/invocations"), ACCOUNT, now())


def test_refuses_another_method() -> None:
    with pytest.raises(ServiceError, match=MISMATCH):
        verify(replace(sign(), method="PUT"), ACCOUNT, now())


def test_refuses_a_changed_signed_header() -> None:
    request = sign(content_type="application/json")

    with pytest.raises(ServiceError, match=MISMATCH):
        verify(with_header(request, "content-type", "text/csv"), ACCOUNT, now())


def test_refuses_a_repeated_signed_header() -> None:
    request = sign(content_type="application/json")

    with pytest.raises(ServiceError, match=MISMATCH):
        verify(replace(request, headers=[*request.headers, ("content-type", "text/csv")]), ACCOUNT, now())


def test_refuses_a_signature_older_than_five_minutes() -> None:
    with pytest.raises(ServiceError, match=r"Signature expired: \w+ is now earlier than \w+ \(5 min\.\)"):
        verify(sign(), ACCOUNT, now() + timedelta(minutes=6))


def test_refuses_a_signature_from_the_future() -> None:
    with pytest.raises(ServiceError, match=r"Signature not yet current: \w+ is still later than \w+"):
        verify(sign(), ACCOUNT, now() - timedelta(minutes=6))


def test_refuses_another_region() -> None:
    with pytest.raises(ServiceError, match="scoped to a valid region, not 'eu-west-1'"):
        verify(sign(scope=("sagemaker", "eu-west-1")), ACCOUNT, now())


def test_refuses_another_service() -> None:
    with pytest.raises(ServiceError, match="scoped to correct service: 'sagemaker'"):
        verify(sign(scope=("execute-api", "us-east-1")), ACCOUNT, now())


def test_refuses_another_date_in_the_scope() -> None:
    request = sign()
    moved = (request.header("authorization") or "").replace("Credential=key/20", "Credential=key/19")

    with pytest.raises(ServiceError, match="Date in Credential scope does not match"):
        verify(with_header(request, "authorization", moved), ACCOUNT, now())


@pytest.mark.parametrize("name", ["host", "x-amz-date"])
def test_refuses_a_signature_that_leaves_out(name: str) -> None:
    request = sign()
    fewer = (request.header("authorization") or "").replace("host;x-amz-date", "host;x-amz-date".replace(name, "x"))

    with pytest.raises(ServiceError, match=f"'{name}' must be a 'SignedHeader'"):
        verify(with_header(request, "authorization", fewer), ACCOUNT, now())


def test_refuses_an_unsigned_request() -> None:
    with pytest.raises(ServiceError, match="Missing Authentication Token"):
        verify(without_header(sign(), "authorization"), ACCOUNT, now())


@pytest.mark.parametrize(
    "authorization",
    [
        "Bearer abc",
        "AWS4-HMAC-SHA256",
        "AWS4-HMAC-SHA256 SignedHeaders=host, Signature=0",
        "AWS4-HMAC-SHA256 Credential=key/20261123/us-east-1/sagemaker/aws4_request, Signature=0",
        "AWS4-HMAC-SHA256 Credential=key/20261123/us-east-1/sagemaker/aws4_request, SignedHeaders=host",
        "AWS4-HMAC-SHA256 Credential=key, SignedHeaders=host, Signature=0",
    ],
)
def test_refuses_half_an_authorization(authorization: str) -> None:
    with pytest.raises(ServiceError) as caught:
        verify(with_header(sign(), "authorization", authorization), ACCOUNT, now())

    assert caught.value.code == "IncompleteSignatureException"


@pytest.mark.parametrize("date", ["yesterday", "20261399T000000Z", "2026-11-23T00:00:00Z"])
def test_refuses_a_date_that_is_none(date: str) -> None:
    request = with_header(sign(), "x-amz-date", date)
    scope = (request.header("authorization") or "").replace(now().strftime("%Y%m%d"), date[:8])

    with pytest.raises(ServiceError, match="Date"):
        verify(with_header(request, "authorization", scope), ACCOUNT, now())


def test_refuses_a_request_without_a_date() -> None:
    with pytest.raises(ServiceError, match="X-Amz-Date"):
        verify(without_header(sign(), "x-amz-date"), ACCOUNT, now())


def test_does_not_show_the_secret() -> None:
    assert "'secret'" not in repr(ACCOUNT)
