"""The credential fake (sso_fake.py) before clients that are not ours: botocore's own fetchers and its whole chain."""

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request

import botocore.session
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError, MetadataRetrievalError
from botocore.utils import ContainerMetadataFetcher, InstanceMetadataFetcher, InstanceMetadataRegionFetcher
from sso_fake import DROP, HANG, SsoFake

CHAIN = """
import botocore.session, json
found = botocore.session.Session().get_credentials()
print(json.dumps([found.method, *found.get_frozen_credentials()[:3]]))
"""


@pytest.fixture
def fake():
    with SsoFake() as running:
        yield running


def chain(environment, home):
    """What botocore's default chain finds: [method, access key, secret, token], or its last line of complaint."""
    kept = {name: value for name, value in os.environ.items()
            if not name.startswith("AWS_") and not name.lower().endswith("_proxy")}
    done = subprocess.run([sys.executable, "-c", CHAIN], env={**kept, "HOME": str(home), **environment},
                          capture_output=True, text=True, timeout=60, check=False)
    return json.loads(done.stdout) if done.returncode == 0 else done.stderr.strip().splitlines()[-1]


def client(fake, service):
    session = botocore.session.Session()
    return session.create_client(service, region_name="eu-west-1", endpoint_url=fake.url, config=Config(
        signature_version=UNSIGNED, retries={"total_max_attempts": 1}, read_timeout=2))


def found_by(method, keys):
    return [method, keys.access_key, keys.secret, keys.token]


@pytest.mark.parametrize("session", ["corp", None])
def test_an_sso_profile_gives_the_portals_keys(fake, tmp_path, session):
    environment = fake.sso_files(tmp_path, session=session)
    assert chain(environment, tmp_path) == found_by("sso", fake.portal.keys)
    (asked,) = fake.requests("/federation/credentials")
    assert asked.query == {"role_name": "Migrator", "account_id": "123456789012"}
    assert "authorization" not in asked.headers
    assert fake.requests("/token") == []


@pytest.mark.parametrize("rotates", [True, False])
def test_a_token_about_to_end_is_refreshed_and_stored(fake, tmp_path, rotates):
    fake.oidc.rotates = rotates
    environment = fake.sso_files(tmp_path, token_ends=60)
    for number in (1, 2):
        assert chain(environment, tmp_path) == found_by("sso", fake.portal.keys)
        stored = json.loads(fake.token_file.read_text())
        assert stored["accessToken"] == f"sso-access-token-{number}"
        # botocore forgets a refresh token that the answer does not repeat.
        assert stored.get("refreshToken") == (f"refresh-token-{number}" if rotates else None)
        if not rotates:
            break
        stored["expiresAt"] = "2024-01-01T00:00:00Z"
        fake.token_file.write_text(json.dumps(stored))
    assert len(fake.requests("/token")) == number


def test_a_token_that_cannot_be_refreshed_is_an_error(fake, tmp_path):
    environment = fake.sso_files(tmp_path, token_ends=-60)
    fake.oidc.refresh_token = "another"
    assert "Token has expired and refresh failed" in chain(environment, tmp_path)
    assert len(fake.requests("/token")) == 1 and fake.requests("/federation/credentials") == []


def test_the_portal_refuses_as_the_service_does(fake):
    sso = client(fake, "sso")

    def ask(token="sso-access-token-0", account="123456789012", role="Migrator"):
        try:
            return sso.get_role_credentials(accessToken=token, accountId=account, roleName=role)["roleCredentials"]
        except ClientError as error:
            return error.response["ResponseMetadata"]["HTTPStatusCode"], error.response["Error"]["Code"]

    assert ask() == {"accessKeyId": fake.portal.keys.access_key, "secretAccessKey": fake.portal.keys.secret,
                     "sessionToken": fake.portal.keys.token, "expiration": int(fake.portal.keys.expires_at * 1000)}
    assert ask(token="made-up") == (401, "UnauthorizedException")
    assert ask(role="Admin") == (403, "ForbiddenException")
    assert ask(account="210987654321") == (403, "ForbiddenException")
    assert ask(role="") == (400, "InvalidRequestException")
    fake.portal.tokens["sso-access-token-0"] = fake.now() - 1
    assert ask() == (401, "UnauthorizedException")
    for code, status in fake.portal.STATUS.items():
        fake.portal.script(fake.portal.error(code))
        assert ask() == (status, code)


def test_oidc_refuses_as_the_service_does(fake):
    oidc = client(fake, "sso-oidc")
    good = {"clientId": fake.oidc.client_id, "clientSecret": fake.oidc.client_secret, "grantType": "refresh_token",
            "refreshToken": fake.oidc.refresh_token}

    def ask(**changed):
        try:
            return oidc.create_token(**{**good, **changed})
        except ClientError as error:
            return (error.response["ResponseMetadata"]["HTTPStatusCode"], error.response["Error"]["Code"],
                    error.response.get("error"))

    assert ask(clientSecret="wrong") == (401, "InvalidClientException", "invalid_client")
    assert ask(refreshToken="wrong") == (400, "InvalidGrantException", "invalid_grant")
    assert ask(grantType="password") == (400, "UnsupportedGrantTypeException", "unsupported_grant_type")
    answer = ask()
    assert (answer["accessToken"], answer["refreshToken"], answer["tokenType"], answer["expiresIn"]) == (
        "sso-access-token-1", "refresh-token-1", "Bearer", 28_800)
    assert ask() == (400, "InvalidGrantException", "invalid_grant")  # the old refresh token is used up
    assert ask(refreshToken="refresh-token-1")["accessToken"] == "sso-access-token-2"
    fake.oidc.client_expires_at = fake.now() - 1
    assert ask() == (401, "InvalidClientException", "invalid_client")
    model = oidc.meta.service_model.operation_model("CreateToken")
    for shape in model.error_shapes:
        assert shape.metadata["error"]["httpStatusCode"] == fake.oidc.ERRORS[shape.name][0]
    for code, (status, short) in fake.oidc.ERRORS.items():
        fake.oidc.script(fake.oidc.error(code))
        assert ask() == (status, code, short)


@pytest.mark.parametrize("by_file", [True, False])
def test_a_container_gives_its_keys_to_who_is_authorized(fake, tmp_path, by_file):
    environment = fake.container_environment(token_file=tmp_path / "token" if by_file else None)
    assert chain(environment, tmp_path) == found_by("container-role", fake.container.keys)
    fetch = ContainerMetadataFetcher(sleep=lambda seconds: None).retrieve_full_uri
    with pytest.raises(MetadataRetrievalError, match="401.*Unauthorized"):
        fetch(fake.url + "/v1/credentials")
    fake.container.authorization = None
    fake.container.script(fake.container.error(500, "InternalError"), DROP)
    answer = fetch(fake.url + "/v2/credentials/1b2c3d4e")
    assert set(answer) == {"RoleArn", "AccessKeyId", "SecretAccessKey", "Token", "Expiration"}
    assert [seen.headers.get("authorization") for seen in fake.log] == ["container-authorization-token"] + [None] * 6


def test_an_instance_gives_its_keys_by_version_2(fake, tmp_path):
    assert chain(fake.imds_environment(), tmp_path) == found_by("iam-role", fake.imds.keys)
    put, roles, role = fake.log
    assert (put.method, put.headers["x-aws-ec2-metadata-token-ttl-seconds"]) == ("PUT", "21600")
    assert roles.path == fake.imds.ROLES and role.path == fake.imds.ROLES + "instance-role"
    assert list(fake.imds.tokens) == [roles.headers["x-aws-ec2-metadata-token"]]


def instance(fake, fetcher=InstanceMetadataFetcher, **settings):
    return fetcher(timeout=0.2, num_attempts=1, base_url=fake.url + "/", env={}, **settings)


@pytest.mark.parametrize("refusal", [403, 404, 405, HANG])
def test_an_instance_without_tokens_answers_version_1_only_where_told(fake, refusal):
    def refuse():
        if refusal == HANG:
            fake.imds.script(HANG)
        fake.imds.token_refusal = refusal
    refuse()
    assert instance(fake).retrieve_iam_role_credentials() == {}
    assert [seen.method for seen in fake.log] == ["PUT", "GET"]  # the GET got 401
    fake.imds.token_required = False
    refuse()
    assert instance(fake).retrieve_iam_role_credentials()["access_key"] == fake.imds.keys.access_key


def test_an_instance_may_have_no_role_or_no_trust_or_an_outage(fake):
    assert instance(fake, InstanceMetadataRegionFetcher).retrieve_region() == "eu-west-1"
    fake.imds.refuses_role = True
    assert instance(fake).retrieve_iam_role_credentials() == {}
    fake.imds.role = None
    assert instance(fake).retrieve_iam_role_credentials() == {}
    assert fake.log[-1].path == fake.imds.ROLES
    fake.imds.role, fake.imds.refuses_role = "other-role", False
    fake.imds.keys.expires_at = fake.now() - 60
    found = instance(fake).retrieve_iam_role_credentials()
    assert found["role_name"] == "other-role" and found["expiry_time"] > "2024"


@pytest.mark.parametrize("method,path,headers,status", [
    ("PUT", "/latest/api/token", {}, 400),
    ("PUT", "/latest/api/token", {"X-aws-ec2-metadata-token-ttl-seconds": "0"}, 400),
    ("PUT", "/latest/api/token", {"X-aws-ec2-metadata-token-ttl-seconds": "21601"}, 400),
    ("PUT", "/latest/api/token", {"X-aws-ec2-metadata-token-ttl-seconds": "60", "X-Forwarded-For": "10.0.0.1"}, 403),
    ("GET", "/latest/api/token", {"X-aws-ec2-metadata-token-ttl-seconds": "60"}, 405),
    ("GET", "/latest/meta-data/iam/security-credentials/", {}, 401),
    ("GET", "/latest/meta-data/iam/security-credentials/", {"X-aws-ec2-metadata-token": "made-up"}, 401),
    ("GET", "/latest/meta-data/iam/security-credentials/", {"X-aws-ec2-metadata-token": "ended"}, 401),
    ("GET", "/latest/meta-data/iam/security-credentials/nobody", {"X-aws-ec2-metadata-token": "good"}, 404),
    ("GET", "/latest/meta-data/iam/security-credentials/instance-role", {"X-aws-ec2-metadata-token": "good"}, 200),
    ("GET", "/elsewhere", {}, 404),
])
def test_an_instance_is_strict(fake, method, path, headers, status):
    fake.imds.tokens.update(ended=fake.now() - 1, good=fake.now() + 60)
    request = urllib.request.Request(fake.url + path, method=method, headers=headers)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=10) as answer:
            assert answer.status == status
    except urllib.error.HTTPError as error:
        with error:
            assert error.code == status
