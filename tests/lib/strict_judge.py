"""A judge that is not ours: moto behind a gate that recomputes every signature with botocore over the raw request
line, and that can be told to serve some regions only or to have another clock. It lies beside the project
(../shared/tools/strict_aws.py); without it, or without moto, what uses it is skipped loudly."""

import json
import os
import pathlib
import re
import socket
import subprocess
import sys
import time
import urllib.request

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = ROOT.parent / "shared" / "tools" / "strict_aws.py"
KEY = "AKIAJUDGEEXAMPLE0001"
SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYJUDGEKEY01"


def program_environment(**extra):
    """The environment of a program under test: nothing of the caller's AWS settings or proxies."""
    environment = {name: value for name, value in os.environ.items()
                   if not name.startswith("AWS_") and not name.lower().endswith("_proxy")}
    environment.update(extra)
    return environment


class StrictJudge:
    """A running judge that knows KEY."""

    def __init__(self, folder):
        if not PROGRAM.exists():
            pytest.skip("SKIPPED LOUDLY: ../shared/tools/strict_aws.py is absent: no third party judges the signatures")
        pytest.importorskip("moto", reason="SKIPPED LOUDLY: moto[server] is not installed")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self.log_file = folder / f"judge-{port}.log"
        with open(self.log_file, "wb") as log:
            self.process = subprocess.Popen([sys.executable, str(PROGRAM), str(port)], stdout=log, stderr=log)
        try:
            self._wait()
        except BaseException:
            self.close()
            raise

    def _wait(self):
        deadline = time.monotonic() + 60
        while True:
            try:
                self.register(KEY, SECRET)
                return
            except OSError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    pytest.fail("the judge does not start:\n" + self.log_file.read_text())
                time.sleep(0.1)

    def ask(self, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data=data, headers={"Content-Type": "text/plain"})
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=10) as answer:
            return answer.read().decode()

    def register(self, key, secret, token=None):
        self.ask("/gate/keys", {"ak": key, "sk": secret, "token": token})

    def configure(self, **settings):
        self.ask("/gate/config", settings)

    def verified(self, key=None):
        """The requests whose signature was found right."""
        return [entry for entry in json.loads(self.ask("/gate/log")) if key is None or entry["ak"] == key]

    def requests(self):
        """Method, path and status of everything but the gate's own addresses, in order."""
        lines = re.findall(r'"([A-Z]+) (.*) HTTP/1\.\d" (\d{3})', self.log_file.read_text(errors="replace"))
        return [line for line in lines if not line[1].startswith("/gate/")]

    def refusals(self):
        """How many requests the gate did not let through (moto's own refusals are behind it)."""
        return len(self.requests()) - len(self.verified())

    def client(self, service, region="us-east-1"):
        boto3 = pytest.importorskip("boto3", reason="SKIPPED LOUDLY: boto3 is not installed")
        return boto3.client(service, endpoint_url=self.url, region_name=region, aws_access_key_id=KEY,
                            aws_secret_access_key=SECRET)

    def close(self):
        self.process.terminate()
        self.process.wait(timeout=10)
