#!/usr/bin/env python3
"""Copies the same objects between two buckets with ts-batchload and with whatever else does that here, and measures each whole process.

usage: copy_peers.py --ts_batchload build/release/bin/ts-batchload --fakes3 FAKES3 [--original DIR] [--latency 0,20,200] [--runs 5]

--fakes3 is a program that serves S3 on 127.0.0.1 with a fixed latency per request: buckets src (N objects below results/) and dst,
`GET /__stats` (JSON with reqs and ops) and `GET /__reset?latency_ms=X`, port by PORT, N by the variable N. ts-local will do too
(--ts_local BIN instead, which is made to hold the objects first).
--original is the folder of the original scripts (tools/python/copy-table of amazon-timestream-tools); its own copy function runs.
aws, rclone and s5cmd are taken from PATH or --peers DIR; what is missing is said and left out.
--tls has every program go through TLS, as it does to AWS: haproxy (from PATH) stands before the server, and programs trust the
system's authorities and one more that is made here, in a mount namespace of this process alone (unshare of util-linux).
GNU time (/usr/bin/time) does the measuring. The peers take turns, run after run, so that a machine that gets slower does so for all. Figures are medians: wall and CPU seconds,
peak memory of the largest process, requests seen by the server.
"""

import argparse
import contextlib
import json
import os
import pathlib
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

KEY, SECRET, REGION = "test", "test", "us-east-1"

ORIGINAL = """
import sys
sys.path.insert(0, sys.argv[1])
from utils.s3_utils import s3Utility
s3Utility("us-east-1", 524288000).copy_multiple_s3_objects("src", "dst", "results/", "dest/")
"""


def get(url):
    with urllib.request.urlopen(url, timeout=30) as answer:
        return answer.read().decode()


class Server:
    """A fake S3 of fixed latency, on a port of its own."""

    def __init__(self, program, objects, port):
        env = dict(os.environ, PORT=str(port), N=str(objects))
        self.endpoint = f"http://127.0.0.1:{port}"
        self.process = subprocess.Popen([program], env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)
        for _ in range(200):
            try:
                get(self.endpoint + "/__stats")
                return
            except OSError:
                time.sleep(0.02)
        raise SystemExit("the fake S3 did not come up")

    def reset(self, latency_ms):
        get(f"{self.endpoint}/__reset?latency_ms={latency_ms}")

    def requests(self):
        return int(json.loads(get(self.endpoint + "/__stats"))["reqs"])

    def stop(self):
        self.process.terminate()
        self.process.wait()


class Tls:
    """A proxy that ends TLS before `server`, with a certificate that programs trust as they trust AWS's."""

    SYSTEM = "/etc/ssl/certs/ca-certificates.crt"

    @staticmethod
    def enter_namespace():
        """Begins this program again where mounts are its own."""
        if "COPY_PEERS_NAMESPACE" not in os.environ:
            os.environ["COPY_PEERS_NAMESPACE"] = "1"
            os.execvp("unshare", ["unshare", "--map-root-user", "--mount", sys.executable, *sys.argv])

    def __init__(self, server, port):
        self.endpoint = f"https://127.0.0.1:{port}"
        self.folder = tempfile.TemporaryDirectory()
        folder = pathlib.Path(self.folder.name)
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout",
                        "key.pem", "-out", "cert.pem", "-days", "1", "-subj", "/CN=copy_peers", "-addext",
                        "subjectAltName=IP:127.0.0.1"], cwd=folder, check=True, capture_output=True)
        certificate = (folder / "cert.pem").read_text()
        (folder / "both.pem").write_text(certificate + (folder / "key.pem").read_text())
        self.authorities = folder / "authorities.pem"
        self.authorities.write_text(certificate + pathlib.Path(self.SYSTEM).read_text())
        subprocess.run(["mount", "--bind", self.authorities, self.SYSTEM], check=True)
        (folder / "haproxy.cfg").write_text(
            "global\n  maxconn 4000\ndefaults\n  mode http\n  timeout connect 5s\n  timeout client 120s\n  timeout server 120s\n"
            f"frontend tls\n  bind 127.0.0.1:{port} ssl crt {folder}/both.pem alpn http/1.1\n  default_backend s3\n"
            f"backend s3\n  http-reuse always\n  server s3 {server.endpoint.removeprefix('http://')}\n")
        self.process = subprocess.Popen(["haproxy", "-q", "-f", folder / "haproxy.cfg"], stdin=subprocess.DEVNULL)
        for _ in range(200):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                return
            time.sleep(0.02)
        raise SystemExit("haproxy did not come up")

    def stop(self):
        self.process.terminate()
        self.process.wait()
        subprocess.run(["umount", self.SYSTEM], check=True)
        self.folder.cleanup()


def environment(home, endpoint):
    env = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    env.update(HOME=home, XDG_STATE_HOME=home + "/state", AWS_ACCESS_KEY_ID=KEY, AWS_SECRET_ACCESS_KEY=SECRET,
               AWS_REGION=REGION, AWS_DEFAULT_REGION=REGION, AWS_ENDPOINT_URL=endpoint, AWS_ENDPOINT_URL_S3=endpoint,
               AWS_EC2_METADATA_DISABLED="true", AWS_CONFIG_FILE=home + "/aws", S3_ENDPOINT_URL=endpoint, NO_PROXY="127.0.0.1")
    pathlib.Path(home, "aws").write_text("[default]\ns3 =\n  addressing_style = path\n")
    return env


def commands(options, endpoint):
    """Name -> argv of each peer that is here."""
    as_system = ["env", f"AWS_CA_BUNDLE={Tls.SYSTEM}"] if options.tls else []  # boto3 brings authorities of its own
    path = os.pathsep.join([*(options.peers or []), os.environ["PATH"]])
    found = {"ts-batchload": [options.ts_batchload, "--region", REGION, "--copy_only", "--s3_source_bucket_location", "src",
                              "--source_s3_prefix", options.prefix, "--s3_target_bucket", "dst", "--destination_s3_prefix", "dest/"]}
    if options.original:
        found["original (boto3)"] = [*as_system, options.python, "-c", ORIGINAL, options.original]
    aws, rclone, s5cmd = (shutil.which(name, path=path) for name in ("aws", "rclone", "s5cmd"))
    if aws:
        found["aws s3 cp"] = [*as_system, aws, "s3", "cp", "--recursive", "--only-show-errors", "s3://src/results/", "s3://dst/dest/results/"]
    if rclone:
        remote = (f":s3,provider=Other,env_auth=true,endpoint='{endpoint}',force_path_style=true,region={REGION},"
                  "no_check_bucket=true:")
        found["rclone"] = [rclone, "copy", "--config", "/dev/null", f"{remote}src/results", f"{remote}dst/dest/results"]
    if s5cmd:
        found["s5cmd"] = [s5cmd, "--endpoint-url", endpoint, "cp", "s3://src/results/*", "s3://dst/dest/results/"]
    for name, program in (("aws", aws), ("rclone", rclone), ("s5cmd", s5cmd), ("the original", options.original)):
        if not program:
            print(f"not here, left out: {name}", file=sys.stderr)
    return found


def measure(argv, env, server, latency):
    """Runs one program under GNU time: a child of this large process would be charged with its memory too."""
    server.reset(latency)
    with tempfile.NamedTemporaryFile("r") as figures:
        started = time.monotonic()
        done = subprocess.run(["/usr/bin/time", "-o", figures.name, "-f", "%U %S %M", *argv], env=env, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        wall = time.monotonic() - started
        if done.returncode != 0:
            raise SystemExit(f"{argv[0]} failed:\n{done.stdout.decode(errors='replace')[-2000:]}")
        user, system, kilobytes = figures.read().split()
    return {"wall": wall, "cpu": float(user) + float(system), "rss": int(kilobytes) / 1000, "requests": server.requests()}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ts_batchload", required=True)
    parser.add_argument("--fakes3", required=True)
    parser.add_argument("--original")
    parser.add_argument("--python", default=sys.executable, help="the Python that has boto3 and tqdm, for the original")
    parser.add_argument("--peers", action="append", help="a folder with aws, rclone or s5cmd, before PATH")
    parser.add_argument("--latency", default="0,20,200")
    parser.add_argument("--objects", type=int, default=2000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--port", type=int, default=9310)
    parser.add_argument("--prefix", default="results/")
    parser.add_argument("--tls", action="store_true", help="through TLS, by haproxy and unshare")
    parser.add_argument("--only", help="names of peers, separated by commas")
    options = parser.parse_args()
    if options.tls:
        Tls.enter_namespace()
    server = Server(options.fakes3, options.objects, options.port)
    front = None
    try:
        front = Tls(server, options.port + 1) if options.tls else None
        endpoint = front.endpoint if front else server.endpoint
        found = commands(options, endpoint)
        if options.only:
            found = {name: argv for name, argv in found.items() if name in options.only.split(",")}
        print(f"{options.objects} objects, median of {options.runs}; ratios are to ts-batchload\n")
        print(f"{'latency':>8} {'program':<18} {'wall s':>8} {'x':>6} {'CPU s':>8} {'x':>6} {'MB':>7} {'requests':>9}")
        for latency in options.latency.split(","):
            results = {name: [] for name in found}
            for _ in range(options.runs):
                for name, argv in found.items():
                    with tempfile.TemporaryDirectory() as home:
                        results[name].append(measure(argv, environment(home, endpoint), server, latency))
            middle = {name: {key: statistics.median(run[key] for run in runs) for key in runs[0]} for name, runs in results.items()}
            own = middle.get("ts-batchload") or next(iter(middle.values()))
            for name, figures in middle.items():
                print(f"{latency + ' ms':>8} {name:<18} {figures['wall']:8.2f} {figures['wall'] / own['wall']:6.1f} {figures['cpu']:8.3f} "
                      f"{figures['cpu'] / own['cpu']:6.1f} {figures['rss']:7.1f} {figures['requests']:9.0f}", flush=True)
    finally:
        if front:
            front.stop()
        server.stop()


if __name__ == "__main__":
    main()
