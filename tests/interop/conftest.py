"""Fixtures of the interop tests: a running ts-local and outside clients (boto3, the aws CLI) for it.

TS_BUILD_DIR names the build directory that holds bin/ts-local.
"""

import itertools
import json
import os
import pathlib
import shutil
import signal
import subprocess
import time
import urllib.request

import boto3
import botocore.config
import pytest

ACCOUNT = "123456789012"


class TsLocal:
    """One ts-local process on a free port with its own directory."""

    def __init__(self, directory, *flags):
        self.dir = pathlib.Path(directory)
        self.flags = flags
        self.process = None
        self.endpoint = None
        self.start()

    def start(self):
        port_file = self.dir / "port"
        port_file.unlink(missing_ok=True)
        program = pathlib.Path(os.environ["TS_BUILD_DIR"]) / "bin" / "ts-local"
        self.process = subprocess.Popen(
            [program, "--port", "0", "--dir", self.dir / "data", "--port_file", port_file, *self.flags],
            stdout=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 60
        while not port_file.exists():
            assert self.process.poll() is None, "ts-local ended at once"
            assert time.monotonic() < deadline, "ts-local did not get ready"
            time.sleep(0.01)
        self.endpoint = f"http://127.0.0.1:{port_file.read_text().strip()}"

    def stop(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        return self.process.wait(timeout=60)

    def client(self, service, region="us-east-1", key="test", secret="test", **config):
        """A boto3 client that talks to this process alone."""
        settings = {"retries": {"max_attempts": 1, "mode": "standard"}, "read_timeout": 120, **config}
        return boto3.client(
            service,
            region_name=region,
            endpoint_url=self.endpoint,
            aws_access_key_id=key,
            aws_secret_access_key=secret,
            config=botocore.config.Config(**settings),
        )

    def load(self, database, table, rows, region="us-east-1"):
        """Rows in bulk, as CSV (see ts-local's README); the counts. HTTPError where some are rejected."""
        url = f"{self.endpoint}/ts-local/rows?database={database}&table={table}&region={region}"
        request = urllib.request.Request(url, data=rows.encode(), method="POST")
        with urllib.request.urlopen(request, timeout=300) as answer:
            return json.load(answer)

    def environment(self, region="us-east-1"):
        """What a program needs to use this process and nothing else."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
        return {
            **kept,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": region,
            "AWS_DEFAULT_REGION": region,
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def aws(self, *arguments, region="us-east-1", check=True):
        """Runs the aws CLI; skips the test loudly where there is none."""
        program = shutil.which("aws")
        if program is None:
            pytest.skip("the aws CLI is not installed: this check against it did not run")
        return subprocess.run(
            [program, "--endpoint-url", self.endpoint, *arguments],
            env=self.environment(region),
            check=check,
            capture_output=True,
            text=True,
            timeout=300,
        )


@pytest.fixture
def start_ts_local(tmp_path_factory):
    """Starts further ts-local processes: start_ts_local("--sample")."""
    running = []

    def start(*flags):
        running.append(TsLocal(tmp_path_factory.mktemp("ts-local"), *flags))
        return running[-1]

    yield start
    for process in running:
        if process.process.poll() is None:
            process.stop()


@pytest.fixture(scope="module")
def ts_local(tmp_path_factory):
    """One ts-local for a whole test module."""
    process = TsLocal(tmp_path_factory.mktemp("ts-local"))
    yield process
    if process.process.poll() is None:
        assert process.stop() == 0


@pytest.fixture(scope="module")
def client(ts_local):
    """client("s3"), client("timestream-write", region="eu-west-1"), ..."""
    return ts_local.client


_bucket_numbers = itertools.count(1)


@pytest.fixture
def bucket(ts_local):
    """A fresh bucket in us-east-1."""
    name = f"fresh-bucket-{next(_bucket_numbers)}"
    ts_local.client("s3").create_bucket(Bucket=name)
    return name
