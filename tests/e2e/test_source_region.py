"""--source_region: the side that files are copied from has a region of its own."""

from e2e_harness import assert_equal_tables, changed, expect
from e2e_proxy import CountingProxy


def load_from_abroad(small, *flags, destination):
    """Loads from the bucket `abroad` in eu-west-1; gives how many requests went to that bucket, and the result."""
    proxy = CountingProxy(small.local.port)
    try:
        wanted = changed(small.load_flags(*flags), "--s3_source_bucket_location", "abroad")
        wanted = changed(changed(wanted, "--destination_s3_prefix", destination), "--table", "from_" + destination[:-1])
        result = expect(small.local.run("ts-batchload", *wanted, endpoint=proxy.endpoint), 0)
    finally:
        proxy.close()
    return sum("/abroad" in line for line in proxy.requests), result


def test_the_source_is_spoken_to_in_its_own_region(small):
    expect(small.unload(), 0)
    small.local.make_bucket("abroad", "eu-west-1")
    here, there = small.local.client("s3", "us-east-1"), small.local.client("s3", "eu-west-1")
    for key in small.local.keys(small.bucket, "us-east-1"):
        there.put_object(Bucket="abroad", Key=key, Body=here.get_object(Bucket=small.bucket, Key=key)["Body"].read())
    found_out, _ = load_from_abroad(small, destination="asked/")
    told, _ = load_from_abroad(small, "--source_region", "eu-west-1", destination="told/")
    assert told < found_out  # without the flag S3 has to name the region first
    for table in ("from_asked", "from_told"):
        assert_equal_tables(small.source, small.local.rows(small.region, "target", table))


def test_a_region_that_is_none_is_named_before_any_request(small):
    result = expect(small.load("--source_region", "eu west", endpoint="http://127.0.0.1:1"), 2)
    assert "--source_region" in result.stderr and "eu west" in result.stderr
