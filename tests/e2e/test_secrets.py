"""No secret of a run is ever written down: not on the screen, not in a file, not beside the data in S3.

Both programs run with --debug, their most talkative, as a profile that assumes a role. What must stay hidden is taken
from ts-local's own store and from the wire, then everything that the run wrote is searched for it.
"""

import base64
import gzip
import json
import re
import shlex
import subprocess
import time
import urllib.parse
import urllib.request

import e2e_harness
import e2e_proxy
import pytest
from e2e_harness import ACCOUNT, BIN, KEY, SECRET, clean_env, expect

STATIC_KEY, STATIC_SECRET = "AKIASTATICKEYEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYSTATICSECRET"
WRONG_SECRET = "WRONGrXUtnFEMI/K7MDENG+bPxRfiCYSTATICSECRET"
ROLE, SOURCE_ROLE = f"arn:aws:iam::{ACCOUNT}:role/mover", f"arn:aws:iam::{ACCOUNT}:role/reader"


class Tee:
    """A stream's bytes, kept on their way."""

    def __init__(self, stream, keep):
        self.stream, self.keep = stream, keep

    def readline(self):
        line = self.stream.readline()
        self.keep(line)
        return line

    def read(self, size):
        data = self.stream.read(size)
        self.keep(data)
        return data


class RecordingProxy(e2e_proxy.CountingProxy):
    """Keeps the signatures and session tokens that programs send, and the error codes they are answered."""

    def __init__(self, upstream_port, hook=None):
        self.signatures, self.tokens, self.errors = set(), set(), []
        super().__init__(upstream_port, hook)

    def _serve_connection(self, client, from_client, upstream, from_upstream):
        super()._serve_connection(client, Tee(from_client, self._sent), upstream, Tee(from_upstream, self._answered))

    def _sent(self, line):
        name, _, value = line.decode("latin-1").partition(":")
        with self.lock:
            if name.lower() == "authorization":
                self.signatures |= set(re.findall("Signature=([0-9a-f]{64})", value))
            elif name.lower() == "x-amz-security-token":
                self.tokens.add(value.strip())

    def _answered(self, data):
        with self.lock:
            self.errors += re.findall(r"(?:<Code>|#)(\w*(?:Expired|Signature)\w*)", data.decode("latin-1"))


def spellings(secret):
    """The secret as a log, a URL, a JSON or a base64 text would have it; its two ends, so that a cut one is found."""
    texts = {secret, urllib.parse.quote(secret, safe=""), urllib.parse.quote(secret, safe="").lower(),
             secret.replace("/", "\\/"), base64.b64encode(secret.encode()).decode()}
    return {end for text in texts for end in (text[:20], text[4:24], text[-20:])}


class Run:
    """A home and a working directory of the programs' own, and all that comes to lie in them."""

    def __init__(self, folder, local, proxy, secret=STATIC_SECRET):
        self.local, self.proxy, self.said = local, proxy, {}
        self.home, self.cwd, self.tmp = (folder / name for name in ("home", "cwd", "tmp"))
        for directory in (self.home / ".aws", self.cwd, self.tmp):
            directory.mkdir(parents=True)
        self.given = {
            self.home / ".aws/config":
                f"[profile mover]\nrole_arn = {ROLE}\nsource_profile = base\nrole_session_name = night\n",
            self.home / ".aws/credentials":
                f"[base]\naws_access_key_id = {STATIC_KEY}\naws_secret_access_key = {secret}\n"}
        for file, text in self.given.items():
            file.write_text(text)
        self.secrets = {STATIC_SECRET, secret}

    def __call__(self, program, flags, **env):
        settings = {"AWS_ENDPOINT_URL": self.proxy.endpoint, "HOME": self.home, "TMPDIR": self.tmp,
                    "AWS_CONFIG_FILE": self.home / ".aws/config",
                    "AWS_SHARED_CREDENTIALS_FILE": self.home / ".aws/credentials",
                    "XDG_STATE_HOME": None, "XDG_CACHE_HOME": None, "XDG_CONFIG_HOME": None, **env}
        settings = {name: value if value is None else str(value) for name, value in settings.items()}
        done = subprocess.run([BIN / program, *map(str, flags), "--debug"], cwd=self.cwd, env=clean_env(**settings),
                              capture_output=True, text=True, timeout=300, stdin=subprocess.DEVNULL)
        self.said[f"stdout {len(self.said)} of {program}"] = done.stdout
        self.said[f"stderr {len(self.said)} of {program}"] = done.stderr
        return e2e_harness.check_no_report(done)

    def sessions(self):
        lines = (self.local.folder / "data" / "sessions.jsonl").read_text().splitlines()
        return [json.loads(line) for line in lines]

    def written(self):
        """Name and text of all that the programs wrote."""
        yield from self.said.items()
        for directory in (self.home, self.cwd, self.tmp):
            for file in sorted(directory.rglob("*")):
                yield f"the name of {file}", file.name
                if not file.is_file():
                    continue
                text = file.read_bytes().decode("latin-1")
                if file in self.given:
                    assert text == self.given[file], f"{file} was changed"
                else:
                    yield str(file), text
        s3 = self.local.client("s3", "us-east-1")
        for bucket in (item["Name"] for item in s3.list_buckets()["Buckets"]):
            for key in self.local.keys(bucket, "us-east-1"):
                data = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
                data = gzip.decompress(data) if key.endswith(".gz") else data
                yield f"s3://{bucket}/{key}", key + "\n" + data.decode("latin-1")

    def found(self):
        """Where which kind of secret lies; never the secret itself, since the failure is printed."""
        hidden = {"a secret key": self.secrets | {session["secret"] for session in self.sessions()},
                  "a session token": self.proxy.tokens | {session["token"] for session in self.sessions()},
                  "a signature": self.proxy.signatures}
        needles = [(kind, needle) for kind, secrets in hidden.items() for secret in secrets
                   for needle in spellings(secret)]
        return sorted({(place, kind) for place, text in self.written() for kind, needle in needles if needle in text})


@pytest.fixture
def begin(start_local, tmp_path):
    """begin(*flags of ts-local, hook=, secret=): a small migration's tables and buckets, and a run to do it with."""
    proxies = []

    def start(*flags, hook=None, **options):
        local = start_local("--access_key", KEY, "--secret_key", SECRET,
                            "--access_key", STATIC_KEY, "--secret_key", STATIC_SECRET, *flags)
        small = e2e_harness.Small(local, tmp_path)
        proxies.append(RecordingProxy(local.port, hook))
        return small, Run(tmp_path / "run", local, proxies[-1], **options)

    yield start
    for proxy in proxies:
        proxy.close()


def migrate(small, run):
    expect(run("ts-unload", small.unload_flags("--profile", "mover")), 0)
    expect(run("ts-batchload", small.load_flags("--profile", "mover")), 0)
    e2e_harness.assert_equal_tables(small.source, small.loaded())


def test_a_migration_writes_no_secret_down(begin):
    small, run = begin()
    migrate(small, run)
    assert len(run.proxy.signatures) > 20, "the wire was not recorded"
    assert run.proxy.tokens and run.proxy.tokens <= {session["token"] for session in run.sessions()}
    assert any("PUT" in text or "POST" in text for text in run.said.values()), "--debug showed no request"
    assert run.found() == []

    # The search does find what is planted.
    token = next(iter(run.proxy.tokens))
    for name, planted, kind in (("log", f"key {STATIC_SECRET}.", "a secret key"),
                                ("url", urllib.parse.quote(token, safe="")[:60], "a session token"),
                                ("sig", "Signature=" + next(iter(run.proxy.signatures)), "a signature")):
        file = run.cwd / name
        file.write_text(planted)
        assert run.found() == [(str(file), kind)]
        file.unlink()
    run.local.client("s3", "us-east-1").put_object(Bucket=small.bucket, Key="planted",
                                                   Body=run.sessions()[0]["secret"])
    assert run.found() == [(f"s3://{small.bucket}/planted", "a secret key")]


def test_two_principals_write_no_secret_down(begin):
    """The source read by a second role, files inflated through this machine, one group's task failed with its report kept,
    the run's memory also in S3, then resumed: more that is written, and a second session to be hidden."""
    small, run = begin()
    topic = small.local.client("sns", "us-east-1").create_topic(Name="loads")["TopicArn"]
    expect(run("ts-unload", small.unload_flags("--profile", "mover", "--compression", "gzip")), 0)
    set_rules(small.local, "Task:2:fail")
    failed = expect(run("ts-batchload", small.load_flags("--profile", "mover", "--source_role_arn", SOURCE_ROLE, "--state", "s3",
                                                         "--sns_topic_arn", topic)), 1)
    set_rules(small.local)
    program, *words = shlex.split(failed.stdout.splitlines()[-1])
    assert words[:1] == ["resume"] and "--retry_failed" in words, words
    expect(run(program, words), 0)
    e2e_harness.assert_equal_tables(small.source, small.loaded())
    assert {"mover", "reader"} <= {part for session in run.sessions() for part in session["arn"].split("/")}
    assert len(run.proxy.tokens) > 2 and run.proxy.tokens <= {session["token"] for session in run.sessions()}
    assert any("/journal/" in key for key in small.local.keys(small.errors, "us-east-1"))
    assert list(run.home.rglob("reports/*.json")) and list(run.home.rglob("report.html"))
    assert run.found() == []


def set_rules(local, *rules):
    """ts-local's fault rules at run time; none drops all."""
    body = json.dumps({"rules": rules}).encode() if rules else None
    request = urllib.request.Request(f"{local.endpoint}/ts-local/fail", data=body, method="POST" if rules else "DELETE")
    urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=60).close()


def test_sessions_that_end_in_mid_run_are_renewed(begin):
    """Some requests, far apart, leave the program signed by a session that has ended when they arrive."""
    def outlive(n, phase, line):
        sessions = run.sessions()
        if phase == "before" and n % 25 == 5 and sessions:
            while time.time() * 1000 <= max(session["end_ms"] for session in sessions):
                time.sleep(0.02)
        return True

    small, run = begin("--session_seconds", "2", hook=outlive)
    migrate(small, run)
    assert len(run.sessions()) > 2
    assert {"ExpiredToken", "ExpiredTokenException"} & set(run.proxy.errors)
    assert run.found() == []


def test_a_wrong_secret_is_not_repeated(begin):
    small, run = begin(secret=WRONG_SECRET)
    for program, flags in (("ts-unload", small.unload_flags()), ("ts-batchload", small.load_flags())):
        done = expect(run(program, [*flags, "--profile", "mover"]), 3)
        assert "SignatureDoesNotMatch" in done.stderr, done.stderr
    assert "SignatureDoesNotMatch" in run.proxy.errors
    assert run.found() == []


def test_a_token_beside_a_wrong_secret_is_not_repeated(begin):
    """The service's refusal quotes the request it should have been, session token and all."""
    small, run = begin()
    session = run.local.client("sts", "us-east-1").assume_role(RoleArn=ROLE, RoleSessionName="night")["Credentials"]
    keys = {"AWS_ACCESS_KEY_ID": session["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": WRONG_SECRET,
            "AWS_SESSION_TOKEN": session["SessionToken"]}
    for program, flags in (("ts-unload", small.unload_flags()), ("ts-batchload", small.load_flags())):
        expect(run(program, flags, **keys), 3)
    assert {"InvalidSignatureException", "SignatureDoesNotMatch"} & set(run.proxy.errors)
    assert session["SessionToken"] in run.proxy.tokens
    run.secrets.add(WRONG_SECRET)
    assert run.found() == []
