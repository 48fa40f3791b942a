"""Each source of credentials ends in a call that a third party's judge verified: the program resolves its credentials as
the tools do and asks GetCallerIdentity; the judge recomputes the signature with the keys that the source handed out."""

import json
import os
import pathlib
import stat
import subprocess
import textwrap
import time

import pytest
from sso_fake import SsoFake, iso
from strict_judge import KEY, SECRET, StrictJudge, program_environment

CALLS = pathlib.Path(os.environ.get("TS_BUILD_DIR", "build/release")) / "bin" / "judge_calls"
ACCOUNT = "123456789012"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/Migrator"


@pytest.fixture(scope="module")
def judge(tmp_path_factory):
    judge = StrictJudge(tmp_path_factory.mktemp("judge"))
    yield judge
    judge.close()


@pytest.fixture
def fake():
    with SsoFake() as fake:
        yield fake


class Home:
    """A home directory with ~/.aws files, and a program that lives in it."""

    def __init__(self, folder, judge):
        self.folder, self.judge = folder, judge
        (folder / ".aws").mkdir()
        self.secrets = {SECRET}

    def config(self, text):
        (self.folder / ".aws" / "config").write_text(textwrap.dedent(text))

    def credentials(self, text):
        (self.folder / ".aws" / "credentials").write_text(textwrap.dedent(text))

    def register(self, keys):
        self.judge.register(keys.access_key, keys.secret, keys.token)
        self.secrets |= {keys.secret, keys.token}

    def run(self, *flags, **environment):
        settings = {"HOME": str(self.folder), "AWS_REGION": "us-east-1", "AWS_ENDPOINT_URL": self.judge.url,
                    "AWS_EC2_METADATA_DISABLED": "true", **environment}
        before = len(self.judge.verified())
        done = subprocess.run([str(CALLS), "identity", *flags], env=program_environment(**settings), timeout=60,
                              capture_output=True, check=False, encoding="utf-8")
        self.verified = self.judge.verified()[before:]
        for secret in self.secrets:
            assert secret not in done.stdout + done.stderr
        return done

    def key(self, *flags, **environment):
        """The access key that signed the verified GetCallerIdentity; stdout names source, account and ARN."""
        done = self.run(*flags, **environment)
        assert done.returncode == 0, done.stdout + done.stderr
        assert f"account={ACCOUNT}" in done.stdout, done.stdout
        self.told = done.stdout
        assert self.verified and self.verified[-1]["svc"] == "sts"
        return self.verified[-1]["ak"]

    def refused(self, *flags, **environment):
        done = self.run(*flags, **environment)
        assert done.returncode in (1, 3) and not self.verified, (done.returncode, done.stdout, done.stderr)
        return done.stderr


@pytest.fixture
def home(tmp_path, judge):
    return Home(tmp_path, judge)


KEYS = {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET}
BASE = f"aws_access_key_id = {KEY}\naws_secret_access_key = {SECRET}\n"


def test_environment(home):
    assert home.key(**KEYS) == KEY
    assert "source=environment" in home.told


@pytest.mark.parametrize("place", ["credentials", "config"])
def test_shared_files(home, place):
    getattr(home, place)(f"[{'profile ' if place == 'config' else ''}mover]\n" + BASE)
    assert home.key("--profile", "mover") == KEY
    assert home.key(AWS_PROFILE="mover") == KEY


def test_assume_role_in_a_chain(home):
    home.credentials("[base]\n" + BASE)
    home.config(f"""
        [profile first]
        role_arn = {ROLE}
        source_profile = base
        role_session_name = first-session
        external_id = an/external:id
        duration_seconds = 900
        [profile second]
        role_arn = arn:aws:iam::{ACCOUNT}:role/Second
        source_profile = first
        """)
    key = home.key("--profile", "first")
    assert key not in (KEY, "") and "first-session" in home.told
    assert [entry["ak"] for entry in home.verified] == [KEY, key]
    key = home.key(AWS_PROFILE="second")
    assert "role/Second" in home.told
    used = [entry["ak"] for entry in home.verified]
    assert len(set(used)) == 3 and used[0] == KEY and used[2] == key


def test_a_profile_that_assumes_a_role_with_its_own_keys(home):
    home.config(f"[profile self]\nrole_arn = {ROLE}\nsource_profile = self\n" + BASE)
    assert home.key("--profile", "self") != KEY


def test_credential_source_environment(home):
    home.config(f"[profile role]\nrole_arn = {ROLE}\ncredential_source = Environment\n")
    key = home.key(AWS_PROFILE="role", **KEYS)  # keys in the environment go before the profile's role
    assert key == KEY
    key = home.key("--profile", "role", **KEYS)
    assert key != KEY and [entry["ak"] for entry in home.verified] == [KEY, key]


def test_credential_source_instance(home, fake):
    home.register(fake.imds.keys)
    home.config(f"[profile role]\nrole_arn = {ROLE}\ncredential_source = Ec2InstanceMetadata\n")
    key = home.key("--profile", "role", **imds(fake))
    assert [entry["ak"] for entry in home.verified] == [fake.imds.keys.access_key, key]


def test_credential_source_container(home, fake):
    home.register(fake.container.keys)
    home.config(f"[profile role]\nrole_arn = {ROLE}\ncredential_source = EcsContainer\n")
    key = home.key("--profile", "role", **container(fake))
    assert [entry["ak"] for entry in home.verified] == [fake.container.keys.access_key, key]


def test_web_identity_by_environment_and_by_profile(home, tmp_path):
    token = tmp_path / "token"
    token.write_text("eyJhbGciOi.JUDGED.TOKEN")
    home.secrets.add("eyJhbGciOi.JUDGED.TOKEN")
    by_environment = home.key(AWS_WEB_IDENTITY_TOKEN_FILE=str(token), AWS_ROLE_ARN=ROLE,
                              AWS_ROLE_SESSION_NAME="pod-session")
    assert by_environment != KEY and "pod-session" in home.told
    home.config(f"[profile web]\nrole_arn = {ROLE}\nweb_identity_token_file = {token}\n")
    assert home.key("--profile", "web") not in (KEY, by_environment)


def test_process(home, tmp_path):
    script = tmp_path / "give keys.sh"
    document = {"Version": 1, "AccessKeyId": KEY, "SecretAccessKey": SECRET, "Expiration": iso(time.time() + 3600)}
    script.write_text(f"#!/bin/sh\necho \"for $1\" >&2\ncat <<'END'\n{json.dumps(document)}\nEND\n")
    script.chmod(0o700)
    home.config(f"[default]\ncredential_process = \"{script}\" 'one argument'\n")
    assert home.key() == KEY
    script.write_text("#!/bin/sh\necho the vault is sealed >&2\nexit 7\n")
    assert "the vault is sealed" in home.refused()


def container(fake, **more):
    return {"AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{fake.url}/v1/credentials",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN": fake.container.authorization, **more}


def test_container(home, fake, tmp_path):
    home.register(fake.container.keys)
    home.secrets.add(fake.container.authorization)
    assert home.key(**container(fake)) == fake.container.keys.access_key
    by_name = fake.url.replace("127.0.0.1", "localhost")  # as CloudShell has it
    assert home.key(**container(fake, AWS_CONTAINER_CREDENTIALS_FULL_URI=(
        f"{by_name}/latest/meta-data/container/security-credentials"))) == fake.container.keys.access_key
    token_file = tmp_path / "token"
    token_file.write_text(fake.container.authorization)
    assert home.key(**container(fake, AWS_CONTAINER_AUTHORIZATION_TOKEN="not this one",
                                AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=str(token_file))) == fake.container.keys.access_key
    assert "401" in home.refused(**container(fake, AWS_CONTAINER_AUTHORIZATION_TOKEN="another-token"))


def test_a_proxy_is_never_asked_for_container_or_instance(home, fake):
    home.register(fake.container.keys)
    home.register(fake.imds.keys)
    proxies = {"HTTP_PROXY": "http://127.0.0.1:1", "HTTPS_PROXY": "http://127.0.0.1:1",
               "NO_PROXY": "localhost", "AWS_ENDPOINT_URL": home.judge.url.replace("127.0.0.1", "localhost")}
    assert home.key(**container(fake, **proxies)) == fake.container.keys.access_key
    assert home.key(**imds(fake, **proxies)) == fake.imds.keys.access_key


def imds(fake, **more):
    return {"AWS_EC2_METADATA_DISABLED": "false", "AWS_EC2_METADATA_SERVICE_ENDPOINT": fake.url, **more}


def test_instance(home, fake, judge):
    home.register(fake.imds.keys)
    assert home.key(**imds(fake)) == fake.imds.keys.access_key
    fake.imds.token_refusal, fake.imds.token_required = 403, False  # version 1 alone
    assert home.key(**imds(fake)) == fake.imds.keys.access_key
    refused = home.refused(**imds(fake, AWS_EC2_METADATA_V1_DISABLED="true"))
    assert "AWS_EC2_METADATA_V1_DISABLED" in refused
    # moto's own metadata service, too.
    judge.register("test-key", "test-secret-key", "test-session-token")
    assert home.key(AWS_EC2_METADATA_DISABLED="false", AWS_EC2_METADATA_SERVICE_ENDPOINT=judge.url) == "test-key"


@pytest.mark.parametrize("session", ["corp", None], ids=["sso-session", "legacy"])
def test_sso(home, fake, session):
    home.register(fake.portal.keys)
    home.secrets |= {"sso-access-token-0", fake.oidc.client_secret, "refresh-token-0"}
    settings = fake.sso_files(home.folder, session=session, profile="sso", token_ends=8 * 3600, refreshable=False)
    assert home.key(**settings) == fake.portal.keys.access_key
    assert not fake.requests("/token")


def test_sso_token_is_renewed_and_kept(home, fake):
    home.register(fake.portal.keys)
    home.secrets |= {fake.oidc.client_secret, "refresh-token-0", "refresh-token-1", "sso-access-token-1"}
    settings = fake.sso_files(home.folder, session="corp", profile="sso", token_ends=60, refreshable=True)
    assert home.key(**settings) == fake.portal.keys.access_key
    assert home.key(**settings) == fake.portal.keys.access_key
    assert len(fake.requests("/token")) == 1  # the second run found the renewed token in the cache
    assert stat.S_IMODE(fake.token_file.stat().st_mode) == 0o600
    assert json.loads(fake.token_file.read_text())["refreshToken"] == "refresh-token-1"


def test_an_expired_sso_token_says_how_to_log_in(home, fake):
    settings = fake.sso_files(home.folder, session="corp", profile="sso", token_ends=-60, refreshable=False)
    refused = home.refused(**settings)
    assert "aws sso login" in refused and "corp" in refused


def test_nothing_found_names_every_place(home):
    refused = home.refused()
    for place in ("AWS_ACCESS_KEY_ID", "profile 'default'", "AWS_CONTAINER_CREDENTIALS", "AWS_EC2_METADATA_DISABLED"):
        assert place in refused, refused
