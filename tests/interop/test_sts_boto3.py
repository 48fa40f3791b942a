"""ts-local's temporary credentials, as boto3 gets and uses them."""

import datetime
import time

import boto3
import botocore
import botocore.config
import botocore.exceptions
import pytest

ACCOUNT = "123456789012"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/path/mover"
SERVICES = {"s3": ("list_buckets", {}),
            "sts": ("get_caller_identity", {}),
            "sns": ("list_topics", {}),
            "timestream-write": ("list_databases", {}),
            "timestream-query": ("query", {"QueryString": "SELECT 1"})}
EXPIRED = {"s3": (400, "ExpiredToken"), "sts": (403, "ExpiredToken"), "sns": (403, "ExpiredToken"),
           "timestream-write": (400, "ExpiredTokenException"), "timestream-query": (400, "ExpiredTokenException")}
FOREIGN = {"s3": (400, "InvalidToken"), "sts": (403, "InvalidClientTokenId"), "sns": (403, "InvalidClientTokenId"),
           "timestream-write": (400, "UnrecognizedClientException"),
           "timestream-query": (400, "UnrecognizedClientException")}


def call(local, service, credentials, token=None):
    client = boto3.client(service, region_name="us-east-1", endpoint_url=local.endpoint,
                          aws_access_key_id=credentials["AccessKeyId"],
                          aws_secret_access_key=credentials["SecretAccessKey"],
                          aws_session_token=token or credentials["SessionToken"],
                          config=botocore.config.Config(retries={"max_attempts": 1, "mode": "standard"}))
    name, arguments = SERVICES[service]
    return getattr(client, name)(**arguments)


def refusal(local, service, credentials, token=None):
    with pytest.raises(botocore.exceptions.ClientError) as error:
        call(local, service, credentials, token)
    answer = error.value.response
    return answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"]


def test_a_session_reaches_every_service_and_survives_a_restart(start_ts_local):
    local = start_ts_local()
    before = datetime.datetime.now(datetime.timezone.utc)
    given = local.client("sts").assume_role(RoleArn=ROLE, RoleSessionName="night", DurationSeconds=900)
    credentials = given["Credentials"]
    assert abs(credentials["Expiration"] - before - datetime.timedelta(seconds=900)) < datetime.timedelta(seconds=60)
    arn = f"arn:aws:sts::{ACCOUNT}:assumed-role/mover/night"
    assert given["AssumedRoleUser"]["Arn"] == arn
    for service in SERVICES:
        call(local, service, credentials)
        assert refusal(local, service, credentials, "no-such-token") == FOREIGN[service]
    who = call(local, "sts", credentials)
    assert (who["Arn"], who["Account"]) == (arn, ACCOUNT)
    assert who["UserId"] == given["AssumedRoleUser"]["AssumedRoleId"]
    local.stop()
    local.start()
    for service in SERVICES:
        call(local, service, credentials)
    assert local.client("sts").get_caller_identity()["Arn"].endswith(":user/ts-local")


def test_a_chain_a_web_identity_and_a_session_token(ts_local):
    sts = ts_local.client("sts")
    first = sts.get_session_token()["Credentials"]
    assert call(ts_local, "sts", first)["Arn"].endswith(":user/ts-local")
    chain = boto3.client("sts", region_name="us-east-1", endpoint_url=ts_local.endpoint,
                         aws_access_key_id=first["AccessKeyId"], aws_secret_access_key=first["SecretAccessKey"],
                         aws_session_token=first["SessionToken"])
    second = chain.assume_role(RoleArn=ROLE, RoleSessionName="chained")["Credentials"]
    assert call(ts_local, "sts", second)["Arn"].endswith(":assumed-role/mover/chained")
    with pytest.raises(botocore.exceptions.ClientError, match="role chaining"):
        chain.assume_role(RoleArn=ROLE, RoleSessionName="chained", DurationSeconds=7200)
    unsigned = boto3.client("sts", region_name="us-east-1", endpoint_url=ts_local.endpoint,
                            config=botocore.config.Config(signature_version=botocore.UNSIGNED))
    given = unsigned.assume_role_with_web_identity(RoleArn=ROLE, RoleSessionName="pod", WebIdentityToken="any.token")
    assert call(ts_local, "sts", given["Credentials"])["Arn"].endswith(":assumed-role/mover/pod")
    with pytest.raises(botocore.exceptions.ClientError) as error:
        unsigned.assume_role(RoleArn=ROLE, RoleSessionName="pod")
    assert error.value.response["Error"]["Code"] == "MissingAuthenticationToken"


def test_sessions_that_end_before_their_expiration(start_ts_local):
    local = start_ts_local("--session_seconds", "1")
    credentials = local.client("sts").assume_role(RoleArn=ROLE, RoleSessionName="short")["Credentials"]
    left = credentials["Expiration"] - datetime.datetime.now(datetime.timezone.utc)
    assert left > datetime.timedelta(minutes=50)
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            call(local, "sts", credentials)
        except botocore.exceptions.ClientError:
            break
        time.sleep(0.05)
    for service in SERVICES:
        assert refusal(local, service, credentials) == EXPIRED[service]
    for service in SERVICES:  # the long-lived keys do not end
        name, arguments = SERVICES[service]
        getattr(local.client(service), name)(**arguments)
