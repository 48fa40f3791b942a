"""Generated requests for test_signatures_botocore.py, as judge_sign reads them: the same ones for the same seed.

What the generator leaves out, because library and botocore differ there and neither is wrong about a request
that the library makes:
- a path for PathRule::kNormalize that ends in "/." or "/..": RFC 3986 keeps the closing slash, botocore drops it.
  Nor are raw paths given (blanks, raw UTF-8): http::Request holds paths as on the wire.
- header values with blanks other than space and tab (U+00A0, U+3000, \\v, \\f): Python's split() folds those too;
  the first two are text to HTTP, the last two may not be sent.
- a Date header: botocore then signs that one and drops x-amz-date.
- a host in upper case or with its scheme's default port: botocore rewrites it, we sign what is sent.
"""

import base64
import calendar
import json
import random
import string
import time
import urllib.parse

import botocore.loaders

# What keys, prefixes and values are made of.
PIECES = [" ", "  ", "+", "%", "%20", "%2F", "%2f", "%zz", "//", "/", ".", "..", "ü", "日本", "\t", ":", "=", "?",
          "#", "~", "'", '"', "😀", "&", ";", "@", "$", ",", "!", "*", "(", ")", "[", "]", "{", "}", "|", "\\", "^",
          "`", "<", ">", "\n", "\r", "\x7f", "e\u0301", "\u200b", "\xa0", "A", "Z", "a", "z", "0", "9", "-", "_",
          "part=1", "year=2024", ".csv.gz"]
HEADER_PIECES = ["a", "B", "7", " ", "  ", "   ", "\t", " \t ", ",", ", ", ";", ":", "=", '"', '"in  quotes"', "'", "/",
                 "%20", "+", "~", "ü", "日本", "😀", "(x)", "\\", "\u200b"]
# Raw, each sorts differently from its encoded form or next to the others.
NAMES = ["a", "A", "a-", "a.", "a~", "a_", "a b", "a+b", "a=b", "a&b", "a/b", "a%", "a%20", "aa", "a1", "é", "日", "",
         "[x]", "prefix", "Prefix", "X-Amz-Meta", "~", "-", "0", "list-type", "\u007f", "😀"]
SUBRESOURCES = ["acl", "policy", "location", "uploads", "versioning", "lifecycle", "tagging", "versions", "cors",
                "delete", "encryption", "publicAccessBlock"]
UNSIGNED = [("User-Agent", "tool/0.1  (x86_64)"), ("X-Amzn-Trace-Id", "Root=1-67891233-abcdef012345678912345678"),
            ("Expect", "100-continue"), ("connection", "keep-alive"), ("TE", "trailers"), ("Keep-Alive", "timeout=5"),
            ("Transfer-Encoding", "chunked"), ("Upgrade", "h2c"), ("Proxy-Authorization", "Basic eDp5"),
            ("proxy-authenticate", "Basic"), ("Trailer", "x-amz-checksum-crc32")]
MOMENTS = ["1970-01-01T00:00:00", "2000-02-29T00:00:00", "2000-03-01T00:00:00", "2023-12-31T23:59:59",
           "2024-01-01T00:00:00", "2024-02-28T23:59:59", "2024-02-29T00:00:00", "2024-02-29T23:59:59",
           "2024-03-01T00:00:00", "2028-02-29T12:00:00", "2038-01-19T03:14:08", "2100-02-28T23:59:59",
           "2100-03-01T00:00:00"]


def regions():
    """(region, DNS suffix) of every partition that botocore knows, the pseudo-regions too."""
    partitions = botocore.loaders.Loader().load_data("partitions")["partitions"]
    return [(name, part["outputs"]["dnsSuffix"]) for part in partitions for name in part["regions"]]


class Generator:
    """Requests as judge_sign reads them, plus "kind" and the headers that an earlier attempt left ("stale")."""

    def __init__(self, seed):
        self.rng = random.Random(seed)
        self.regions = regions()
        self.last = None
        self.kinds = [(self.s3_object, 34), (self.s3_listing, 16), (self.s3_subresource, 8), (self.s3_copy, 10),
                      (self.json_call, 14), (self.form_call, 8), (self.odd_call, 10)]

    def some(self, pieces, most):
        return "".join(self.rng.choices(pieces, k=self.rng.randint(1, most)))

    def chance(self, share):
        return self.rng.random() < share

    def alphabet(self, characters, length):
        return "".join(self.rng.choices(characters, k=length))

    def request(self, number):
        rng = self.rng
        make = rng.choices([kind for kind, _ in self.kinds], [weight for _, weight in self.kinds])[0]
        region, suffix = self.regions[number % len(self.regions)]
        request = {"kind": make.__name__, "method": "GET", "path": "/", "query": [], "headers": [], "body": b"",
                   "path_rule": "normalize", "payload_rule": "hash-in-request", "omit_token": False, "stale": [],
                   "region": region, "explain": False}
        request.update(self.credentials(), time_ms=self.moment())
        request.update(make())
        self.keep(request)
        request.update(self.host(request["service"], request["region"], suffix))
        self.dress(request)
        self.last = request
        return request

    def keep(self, request):
        """Secret, day, region and service of the request before, all or all but one of them: what our signer's
        store of derived keys must tell apart."""
        if self.last is None or self.chance(0.4):
            return
        request["access_key"] = self.last["access_key"]
        changed_alone = self.rng.randint(0, 4)
        for number, field in enumerate(["secret", "time_ms", "region", "service"]):
            if number != changed_alone:
                request[field] = self.last[field]

    def credentials(self):
        rng = self.rng
        secret = self.alphabet(string.ascii_letters + string.digits + "+/", 40)
        if self.chance(0.1):
            secret = self.some(["/", "+", "=", "%2F", " ", '"', "'", "\\", "ü", "日", "&", "#", "\t", secret], 8)
        if self.chance(0.05):
            secret *= 4  # longer than a SHA-256 block, so that HMAC hashes the key first
        token = ""
        if self.chance(0.5):
            token = base64.b64encode(rng.randbytes(rng.randint(90, 900))).decode()
        access_key = rng.choice(["AKIA", "ASIA"]) + self.alphabet(string.ascii_uppercase + string.digits, 16)
        return {"access_key": access_key, "secret": secret, "token": token}

    def moment(self):
        if self.chance(0.7):
            return self.rng.randrange(86_400_000, 4_102_444_800_000)  # until 2099
        second = calendar.timegm(time.strptime(self.rng.choice(MOMENTS), "%Y-%m-%dT%H:%M:%S"))
        return second * 1000 + self.rng.choice([0, 1, 500, 999])

    def host(self, service, region, suffix):
        name = {"s3": "my-bucket-1.s3", "timestream": "ingest-cell1.timestream"}.get(service, service)
        scheme, host = self.rng.choices(
            [("https", f"{name}.{region}.{suffix}"), ("http", "127.0.0.1:5599"), ("http", "localhost:4566"),
             ("https", "[fd00:ec2::254]"), ("http", "[::1]:8080"), ("https", "gate.example.com:8443"),
             ("http", "odd.example.com:443"), ("https", "odd.example.com:80"), ("https", "127.0.0.1"),
             ("https", f"bucket.vpce-1a2b3c4d-5e6f.{service}.{region}.vpce.{suffix}")],
            [10, 1, 1, 1, 1, 1, 1, 1, 1, 2])[0]
        return {"scheme": scheme, "host": host}

    def dress(self, request):
        """What any request may carry, and the rules that a service seldom needs."""
        headers = request["headers"]
        if self.chance(0.8):
            headers += [("amz-sdk-invocation-id", self.alphabet("0123456789abcdef-", 36)),
                        ("amz-sdk-request", f"attempt={self.rng.randint(1, 3)}; max=3")]
        if self.chance(0.5):
            headers += self.rng.sample(UNSIGNED, self.rng.randint(1, 4))
        if self.chance(0.05):
            headers.append((self.rng.choice(["Host", "host"]), self.rng.choice(["other.example.com", "[::1]:9000"])))
        self.rng.shuffle(headers)
        if self.chance(0.1):
            request["stale"] = self.rng.sample(
                [("Authorization", "AWS4-HMAC-SHA256 Credential=old"), ("X-Amz-Date", "20010101T000000Z"),
                 ("x-amz-security-token", "old"), ("X-AMZ-Content-Sha256", "0" * 64)], self.rng.randint(1, 4))
        request["omit_token"] = self.chance(0.05)

    def meta(self, most):
        names = ["x-amz-meta-a", "X-Amz-Meta-A", "x-amz-meta-a-b", "x-amz-meta-a1", "x-amz-meta-a_b", "x-amz-meta-a.b",
                 "x-amz-meta-Z", "x-amz-acl", "x-amz-tagging", "x-amz-server-side-encryption-context", "Cache-Control"]
        return [(self.rng.choice(names), "" if self.chance(0.1) else self.some(HEADER_PIECES, 8))
                for _ in range(self.rng.randint(0, most))]

    def key(self):
        key = self.some(PIECES, 14)
        if self.chance(0.05):  # up to S3's 1,024 bytes
            key = (key * 1024).encode()[:self.rng.randint(1000, 1024)].decode(errors="ignore")
        return key

    def s3_path(self, key):
        base = self.rng.choice(["", "", "", "/my-bucket-1", "/my.bucket", "/proxy/base/bucket"])
        # As the library encodes keys, or with more left as it is, or with lower-case triplets: all go as they stand.
        safe = self.rng.choice(["/", "/", "/", "/!$&'()*+,;=:@", "/=:"])
        path = base + "/" + urllib.parse.quote(key, safe=safe)
        if self.chance(0.05):
            path += self.rng.choice(["%2e%2e/", "%c3%bc", "%FF%fe", "/./..//", "/."])
        return path

    def s3(self, **fields):
        return {"service": "s3", "path_rule": "as-is", "payload_rule": "send-hash", **fields}

    def body(self):
        if self.chance(0.004):
            return self.rng.randbytes(self.rng.choice([1 << 20, (1 << 20) + 1, 3 << 20]))
        return self.rng.randbytes(self.rng.choice([0, 1, 55, 56, 63, 64, 65, 500, 4096]))

    def s3_object(self):
        method = self.rng.choice(["GET", "PUT", "HEAD", "DELETE"])
        headers = self.meta(4)
        if method == "GET":
            headers += self.rng.choice([[], [("Range", "bytes=5-6")], [("If-Match", '"9b2cf5"')]])
        if method == "PUT":
            headers += [("content-type", "text/csv;  charset=utf-8"), ("Content-MD5", "1B2M2Y8AsgTpgAmY7PhCfg==")]
        query = self.rng.choice([[], [], [("partNumber", str(self.rng.randint(1, 10_000))),
                                          ("uploadId", self.some(PIECES, 6))], [("versionId", self.some(PIECES, 3))]])
        return self.s3(method=method, path=self.s3_path(self.key()), query=query, headers=headers,
                       body=self.body() if method == "PUT" else b"")

    def s3_listing(self):
        query = [("list-type", "2"), ("encoding-type", "url"), ("max-keys", "1000"), ("prefix", self.key()),
                 ("delimiter", self.rng.choice(["/", "", "%2F", "ü"])), ("start-after", self.key()),
                 ("continuation-token", base64.b64encode(self.rng.randbytes(30)).decode())]
        query = self.rng.sample(query, self.rng.randint(1, len(query)))
        if self.chance(0.3):  # no listing asks so, but the order of names and of repeated names shows here
            query += [(self.rng.choice(NAMES), self.some(PIECES, 2) if self.chance(0.7) else "")
                      for _ in range(self.rng.randint(1, 12))]
        return self.s3(path=self.rng.choice(["/", "/my-bucket-1", "/my-bucket-1/"]), query=query, headers=self.meta(2))

    def s3_subresource(self):
        query = [(name, "") for name in self.rng.sample(SUBRESOURCES, self.rng.randint(1, 3))]
        method = self.rng.choice(["GET", "PUT", "POST", "DELETE"])
        return self.s3(method=method, path=self.s3_path(self.key()) if self.chance(0.5) else "/", query=query,
                       body=self.body() if method in ("PUT", "POST") else b"", headers=self.meta(2))

    def s3_copy(self):
        source = urllib.parse.quote("source-bucket/" + self.key(), safe=self.rng.choice(["/", ""]))
        headers = self.meta(2) + [("x-amz-copy-source", source), ("x-amz-copy-source-if-match", '"9b2cf5-3"'),
                                  ("x-amz-expected-bucket-owner", "123456789012")]
        query = []
        if self.chance(0.4):
            headers.append(("x-amz-copy-source-range", "bytes=0-5368709119"))
            query = [("uploadId", self.some(PIECES, 6)), ("partNumber", "7")]
        return self.s3(method="PUT", path=self.s3_path(self.key()), query=query, headers=headers)

    def base_path(self):
        return self.rng.choice(["/"] * 4 + ["/base", "/base/", "/base/v1//", "/v1/sts%20x/", "/a:b/=/+/"])

    def json_call(self):
        body = json.dumps({"QueryString": self.some(PIECES, 40), "ClientToken": "x" * 32},
                          ensure_ascii=self.chance(0.5)).encode()
        if self.chance(0.02):
            body = json.dumps({"Records": [{"Time": str(n), "MeasureValue": "1.5"} for n in range(2000)]}).encode()
        return {"service": "timestream", "method": "POST", "path": self.base_path(), "body": body,
                "headers": [("Content-Type", "application/x-amz-json-1.0"),
                            ("X-Amz-Target", f"Timestream_20181101.{self.rng.choice(['Query', 'WriteRecords'])}")]}

    def form_call(self):
        service, version = self.rng.choice([("sts", "2011-06-15"), ("sns", "2010-03-31")])
        form = [("Action", "Publish"), ("Version", version), ("Message", self.some(PIECES, 30))]
        return {"service": service, "method": "POST", "path": self.base_path(),
                "body": urllib.parse.urlencode(form).encode(),
                "headers": [("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")]}

    def odd_call(self):
        """Every pair of rules, any method, paths with dot segments and bytes that are no UTF-8."""
        segments = self.rng.choices(["", ".", "..", "...", "a", "b.c", "%20", "%2E%2E", "%2e", "a+b", "a:b", "~x",
                                     "a%2Fb", "%C3%BC", "%FF%00", "$'()*!", "@;,=&"], k=self.rng.randint(1, 9))
        if segments[-1] in (".", ".."):
            segments.append("")
        return {"service": self.rng.choice(["execute-api", "s3", "timestream", "sso", "s3-outposts"]),
                "method": self.rng.choice(["GET", "PUT", "POST", "HEAD", "DELETE", "PATCH", "OPTIONS"]),
                "path": "/" + "/".join(segments), "headers": self.meta(6), "body": self.body(),
                "query": [(self.rng.choice(NAMES), self.rng.choice(NAMES)) for _ in range(self.rng.randint(0, 5))],
                "path_rule": self.rng.choice(["normalize", "as-is"]),
                "payload_rule": self.rng.choice(["hash-in-request", "send-hash"])}
