"""10,000 generated requests, signed by the library (judge_sign) and by botocore: every Authorization header must
be the same to the byte. TS_BUILD_DIR names the build directory that holds bin/judge_sign. What the requests
cover, and what not, says signature_requests.py.
"""

import base64
import collections
import copy
import hashlib
import json
import os
import pathlib
import subprocess
import time
import urllib.parse

import pytest
import signature_requests
from botocore.auth import S3SigV4Auth, SigV4Auth, _host_from_url
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

COUNT = 10_000
SEED = 20240229
ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = pathlib.Path(os.environ.get("TS_BUILD_DIR", ROOT / "build")) / "bin" / "judge_sign"
ADDED = ("host", "x-amz-date", "x-amz-content-sha256", "x-amz-security-token")


def generate():
    generator = signature_requests.Generator(SEED)
    return [generator.request(number) for number in range(COUNT)]


def ours(requests):
    """judge_sign's answers, one process for all requests."""
    if not PROGRAM.exists():
        pytest.fail(f"{PROGRAM} is not built (TS_BUILD_DIR names the build directory)")
    lines = []
    for request in requests:
        line = {**request, "headers": request["stale"] + request["headers"]}
        line["body"] = base64.b64encode(request["body"]).decode()
        lines.append(json.dumps(line))
    done = subprocess.run([str(PROGRAM)], input="\n".join(lines) + "\n", capture_output=True, check=False,
                          encoding="utf-8", timeout=300)
    assert done.returncode == 0, done.stderr
    answers = [json.loads(line) for line in done.stdout.split("\n")[:-1]]
    assert len(answers) == len(requests)
    return answers


class PathAsIs(S3SigV4Auth):
    """S3's path rule without its x-amz-content-sha256."""

    def _modify_request_before_signing(self, request):
        SigV4Auth._modify_request_before_signing(self, request)


def botocores(request):
    """The same answer by botocore, with its canonical request."""
    quote = urllib.parse.quote
    target = request["path"]
    if request["query"]:
        target += "?" + "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in request["query"])
    aws = AWSRequest(request["method"], f"{request['scheme']}://{request['host']}{target}", data=request["body"])
    for name, value in request["headers"]:
        aws.headers[name] = value  # keeps earlier ones of that name
    seconds = request["time_ms"] // 1000
    aws.context["timestamp"] = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(seconds))
    signer = SigV4Auth
    if request["path_rule"] == "as-is":
        signer = S3SigV4Auth if request["payload_rule"] == "send-hash" else PathAsIs
    elif request["payload_rule"] == "send-hash":  # botocore takes the hash from the caller here
        aws.headers["X-Amz-Content-SHA256"] = hashlib.sha256(request["body"]).hexdigest()
    token = None if request["omit_token"] else request["token"]
    auth = signer(Credentials(request["access_key"], request["secret"], token), request["service"], request["region"])
    # add_auth without its look at the clock.
    auth._modify_request_before_signing(aws)
    canonical = auth.canonical_request(aws)
    auth._inject_signature_to_request(aws, auth.signature(auth.string_to_sign(aws, canonical), aws))
    if "host" not in aws.headers:
        aws.headers["host"] = _host_from_url(aws.url)
    if request["omit_token"] and request["token"]:
        aws.headers["x-amz-security-token"] = request["token"]
    return {"target": target, "authorization": aws.headers["Authorization"],
            "added": sorted([name.lower(), value] for name, value in aws.headers.items() if name.lower() in ADDED),
            "canonical_sha256": hashlib.sha256(canonical.encode()).hexdigest(), "canonical": canonical}


def same(our, their):
    return sorted(our["added"]) == their["added"] and all(
        our[field] == their[field] for field in ("target", "authorization", "canonical_sha256"))


def report(request, their):
    """Request and both canonical requests, for people."""
    our = ours([{**request, "explain": True}])[0]
    shown = {**request, "body": f"{len(request['body'])} bytes: {request['body'][:200]!r}"}
    return "\n".join([f"REQUEST {json.dumps(shown, ensure_ascii=False)}",
                      *(f"{who} {answer['authorization']}\n{answer['target']}\n{answer['added']}\n{answer['canonical']}"
                        for who, answer in (("OURS", our), ("BOTOCORE", their)))])


@pytest.fixture(scope="module")
def requests():
    return generate()


@pytest.fixture(scope="module")
def theirs(requests):
    return [botocores(request) for request in requests]


def test_every_signature_is_botocores(requests, theirs):
    answers = ours(requests)
    wrong = [number for number in range(COUNT) if not same(answers[number], theirs[number])]
    kinds = collections.Counter(requests[number]["kind"] for number in wrong)
    assert not wrong, f"{len(wrong)} of {COUNT} differ, by kind {dict(kinds)}; the first of them:\n\n" + "\n\n".join(
        report(requests[number], theirs[number]) for number in wrong[:3])
    assert len({answer["authorization"] for answer in answers}) == COUNT


def test_the_requests_cover_what_they_should(requests):
    """So that a change of the generator can't quietly stop testing something."""
    def count(holds):
        return sum(1 for request in requests if holds(request))
    for path_rule in ("normalize", "as-is"):
        for payload_rule in ("hash-in-request", "send-hash"):
            assert count(lambda r: (r["path_rule"], r["payload_rule"]) == (path_rule, payload_rule)) > 150
    assert {request["region"] for request in requests} == {name for name, _ in signature_requests.regions()}
    assert len({request["region"] for request in requests}) > 40
    for part in ("%25", "%2B", "%20", "//", "/../", "/./", "%C3%BC", "%E6%97%A5", "%09", "%3F", "%23", "+", ":", "%0A",
                 "%F0%9F%98%80", "%2F", "%c3"):
        assert count(lambda r: part in r["path"]) > 15, part
    assert count(lambda r: len(r["path"]) > 1000) > 50
    assert count(lambda r: len({name for name, _ in r["query"]}) < len(r["query"])) > 50
    assert count(lambda r: sorted(r["query"]) != sorted(
        r["query"], key=lambda pair: [urllib.parse.quote(text, safe="") for text in pair])) > 50
    assert count(lambda r: any(name == "" for name, _ in r["query"])) > 15
    assert count(lambda r: len({n.lower() for n, _ in r["headers"]}) < len(r["headers"])) > 100
    assert count(lambda r: any("  " in value.strip() for _, value in r["headers"])) > 500
    assert count(lambda r: r["stale"]) > 500 and count(lambda r: r["omit_token"] and r["token"]) > 100
    assert 4000 < count(lambda r: r["token"]) < 6000
    assert count(lambda r: "[" in r["host"]) > 300 and count(lambda r: r["host"][-4:] == ":443") > 100
    assert count(lambda r: not r["body"]) > 1000 and count(lambda r: len(r["body"]) >= 1 << 20) >= 3
    days = collections.Counter(time.strftime("%m-%d", time.gmtime(request["time_ms"] / 1000)) for request in requests)
    assert days["02-29"] > 100


def flip(text):
    """The text with one byte changed, or with one more where it is empty."""
    at = next((n for n, c in enumerate(text) if c.isascii() and c.isalnum()), None)
    return text + "x" if at is None else text[:at] + ("b" if text[at] == "a" else "a") + text[at + 1:]


def flip_value(pairs, wanted):
    """Changes the value of the first pair whose name is wanted; whether there was one."""
    for number, (name, value) in enumerate(pairs):
        if wanted(name.lower()):
            pairs[number] = (name, flip(value))
            return True
    return False


def changed(request, field):
    """A copy of the request with one byte of the field changed, or None where it has no such field."""
    request = copy.deepcopy(request)
    if field == "body":
        request["body"] = bytes([request["body"][0] ^ 1]) + request["body"][1:] if request["body"] else b"x"
    elif field == "time":
        request["time_ms"] += 1000
    elif field == "query":
        if not flip_value(request["query"], lambda name: True):
            return None
    elif field in ("signed header", "unsigned header"):
        plain = {name.lower() for name, _ in signature_requests.UNSIGNED}
        if not flip_value(request["headers"], lambda name: (name in plain) == (field == "unsigned header")):
            return None
    elif field == "token" and (request["omit_token"] or not request["token"]):
        return None
    elif field == "method":
        request["method"] = "X" + request["method"][1:]
    elif field == "path" and request["path_rule"] == "normalize":
        request["path"] += "x"  # a byte in the middle may belong to a segment that ".." takes away
    else:
        request[field] = flip(request[field])
    return request


def signature(answer):
    return answer["authorization"].rsplit("Signature=", 1)[1]


@pytest.mark.parametrize("field", ["method", "path", "query", "signed header", "unsigned header", "body", "secret",
                                   "token", "region", "service", "time"])
def test_one_changed_byte_changes_the_signature(requests, theirs, field):
    """The control: the comparison above would see a signer that leaves any part of a request out."""
    pairs = [(changed(requests[number], field), theirs[number]) for number in range(0, COUNT, 20)]
    pairs = [(request, their) for request, their in pairs if request is not None]
    assert len(pairs) > 50
    for (request, their), our in zip(pairs, ours([request for request, _ in pairs])):
        assert (signature(our) == signature(their)) == (field == "unsigned header"), report(request, their)
        assert signature(our) == signature(botocores(request))
