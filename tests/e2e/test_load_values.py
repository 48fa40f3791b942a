"""Every value comes through as it was, whatever way it takes: copied inside S3, through this machine by two principals, inflated from
gzip, in place; of multi-measure and of single-measure tables; the target compared value by value through boto3."""

import json
import math
import struct

import pytest
from e2e_harness import expect
from e2e_load import ERRORS, SOURCE, TARGET, Load
from e2e_unload import REGION, Unload

NOW = 19000 * 86400 * 10**9
TEXTS = ["plain", "with, comma", 'with "quotes"', '"', '""', "back\\slash", "\\", '\\"', "two\nlines", "\r\n", "tab\there", " blanks ",
         "Zürich – 東京 🚆", "null", "NULL", "'single'", "a;b|c", "ends with \\", "x" * 2000]
DOUBLES = [0.0, -0.0, 1.5, 1e308, -1e308, 5e-324, 2.2250738585072014e-308, 0.1 + 0.2, math.pi, 1e22, 123456789.125]
BIGINTS = [0, 1, -1, 2**63 - 1, -2**63, 10**18]


def text_of(value):
    """Of a double the shortest decimal that reads back as the same number."""
    return repr(value)


def records(multi=True):
    """Rows with each awkward value in a dimension, in a measure, at every last nanosecond."""
    made = []
    for i in range(max(len(TEXTS), len(DOUBLES), len(BIGINTS)) * 3):
        text, double, bigint = TEXTS[i % len(TEXTS)], DOUBLES[i % len(DOUBLES)], BIGINTS[i % len(BIGINTS)]
        common = {"Dimensions": [{"Name": "device", "Value": f"d {i}"}], "Time": str(NOW + i * 3600 * 10**9 + 123456789 + i),
                  "TimeUnit": "NANOSECONDS"}
        if i % 4 != 3:  # else the dimension is null
            common["Dimensions"].append({"Name": "place, \"of\" it", "Value": text[:1500]})
        values = {"text": (text, "VARCHAR"), "number": (text_of(double), "DOUBLE"), "count": (str(bigint), "BIGINT"),
                  "ok": (["true", "false"][i % 2], "BOOLEAN")}
        if multi:
            kept = {name: value for n, (name, value) in enumerate(values.items()) if (i + n) % 5 or name == "ok"}
            made.append({**common, "MeasureName": f"m{i % 2}", "MeasureValueType": "MULTI",
                         "MeasureValues": [{"Name": name, "Value": value, "Type": kind} for name, (value, kind) in kept.items()]})
        else:
            made += [{**common, "MeasureName": name, "MeasureValue": value, "MeasureValueType": kind}
                     for name, (value, kind) in values.items()]
    return made


def same_numbers(rows):
    """Doubles by their bits, so that two spellings of one number are one."""
    def same(name, value):
        if name in ("number", "measure_value::double"):
            return struct.pack(">d", float(value)).hex()
        return value
    return sorted(tuple(sorted((name, same(name, value)) for name, value in row)) for row in rows.elements())


@pytest.fixture(params=[True, False], ids=["multi", "single"])
def multi(request):
    return request.param


def awkward(local, multi, *unload_flags):
    """A load whose source has the awkward rows, unloaded as the flags say."""
    source = Unload(local, "")
    assert not local.write(REGION, "source", "readings", records(multi))
    return Load.of(source, "--partition", "day", *unload_flags)


WAYS = {
    "copied": ((), ()),
    "packed": ((), ("--group_by", "packed")),
    "in parts": ((), ("--multi_part_upload_chunk", "5242880")),
    "gzip": (("--compression", "gzip"), ()),
    "gzip, packed": (("--compression", "gzip"), ("--group_by", "packed")),
    "in place": ((), None),
}


@pytest.mark.parametrize("way", WAYS)
def test_value_by_value(start_local, multi, way):
    unload, more = WAYS[way]
    local = start_local("--unload_rate", "0")
    load = awkward(local, multi, *unload)
    result = expect(load.run(*(more or ()), copying=more is not None), 0)
    assert "every row proven" in result.stdout, result.stdout
    assert same_numbers(local.rows(REGION, "source", "readings")) == same_numbers(load.rows())


PRINCIPALS = ("--principal", f"reader:READER:reader-secret:read={SOURCE}/*",
              "--principal", f"loader:LOADER:loader-secret:read={TARGET}/*,read={ERRORS}/*,write={TARGET}/*,write={ERRORS}/*")


@pytest.mark.parametrize("unload", [(), ("--compression", "gzip")], ids=["plain", "gzip"])
def test_two_principals(start_local, multi, tmp_path, unload):
    """Nobody may read the one bucket and write the other: each file goes through this machine with the two credentials."""
    local = start_local("--unload_rate", "0", *PRINCIPALS)
    load = awkward(local, multi, *unload)
    credentials = tmp_path / "credentials"
    credentials.write_text("[reader]\naws_access_key_id = READER\naws_secret_access_key = reader-secret\n")
    loader = {"AWS_ACCESS_KEY_ID": "LOADER", "AWS_SECRET_ACCESS_KEY": "loader-secret",
              "AWS_SHARED_CREDENTIALS_FILE": str(credentials)}
    refused = expect(load.run(**loader), 3)
    assert "s3:" in refused.stderr, refused.stderr
    result = expect(load.run("--source_profile", "reader", **loader), 0)
    assert "every row proven" in result.stdout, result.stdout
    assert same_numbers(local.rows(REGION, "source", "readings")) == same_numbers(load.rows())


def test_a_role_that_reads(start_local, tmp_path):
    local = start_local("--unload_rate", "0", *PRINCIPALS)
    load = awkward(local, True)
    loader = {"AWS_ACCESS_KEY_ID": "LOADER", "AWS_SECRET_ACCESS_KEY": "loader-secret"}
    result = expect(load.run("--source_role_arn", "arn:aws:iam::123456789012:role/reader", **loader), 0)
    assert "every row proven" in result.stdout, result.stdout


def test_metadata_stays(start_local):
    """What S3 keeps beside an object goes with it, in one request and in parts."""
    local = start_local()
    s3 = local.client("s3", REGION)
    for bucket in (SOURCE, TARGET):
        local.make_bucket(bucket, REGION)
    for key, size in (("x/small.bin", 10), ("x/large.bin", 12 * 1024 * 1024)):
        s3.put_object(Bucket=SOURCE, Key=key, Body=b"x" * size, ContentType="text/csv", Metadata={"origin": "here"})
    expect(local.run("ts-batchload", "--region", REGION, "--copy_only", "--s3_source_bucket_location", SOURCE, "--source_s3_prefix", "x/",
                     "--s3_target_bucket", TARGET, "--destination_s3_prefix", "y/", "--multi_part_upload_chunk", "5242880"), 0)
    for key in ("y/x/small.bin", "y/x/large.bin"):
        head = s3.head_object(Bucket=TARGET, Key=key)
        assert (head["ContentType"], head["Metadata"]) == ("text/csv", {"origin": "here"}), (key, json.dumps(head, default=str))
