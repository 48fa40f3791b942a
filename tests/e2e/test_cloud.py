"""No endpoint is configured: public names over TLS, through a proxy, Timestream found by endpoint discovery."""

import e2e_cloud
import pytest
from e2e_harness import assert_equal_tables, expect

SUFFIX = "us-east-1.amazonaws.com"


@pytest.fixture
def cloud(small, tmp_path):
    cloud = e2e_cloud.Cloud(tmp_path, small.local.port)
    yield cloud
    cloud.close()


def by_proxy(cloud, **more):
    """An empty variable counts as none, so the harness's endpoint is taken back by it. The caller's own lower-case
    variables would go before those of the test."""
    return {"AWS_ENDPOINT_URL": "", "HTTPS_PROXY": cloud.endpoint, "NO_PROXY": None, "no_proxy": None,
            "https_proxy": None, "http_proxy": None,
            "AWS_CA_BUNDLE": str(cloud.ca), **more}


def test_the_whole_migration_by_public_names(cloud, small):
    expect(small.unload(**by_proxy(cloud)), 0)
    unload = len(cloud.requests)
    expect(small.load(**by_proxy(cloud)), 0)
    assert_equal_tables(small.source, small.loaded())
    assert cloud.hosts() == {
        f"query.timestream.{SUFFIX}", f"query-cell1.timestream.{SUFFIX}", f"ingest.timestream.{SUFFIX}",
        f"ingest-cell1.timestream.{SUFFIX}", f"small-unload.s3.{SUFFIX}", f"small-load.s3.{SUFFIX}",
        f"small-errors.s3.{SUFFIX}",
        f"sts.{SUFFIX}"}
    # Each service is discovered once by each program that asks it, and nothing else is asked of the regional hosts:
    # ts-unload queries, ts-batchload makes tasks and counts what they loaded.
    regional = (f"query.timestream.{SUFFIX}", f"ingest.timestream.{SUFFIX}")
    discovered = [[(host, line) for host, line in requests if host in regional]
                  for requests in (cloud.requests[:unload], cloud.requests[unload:])]
    asked = "POST / Timestream_20181101.DescribeEndpoints"
    assert discovered[0] == [(regional[0], asked)]
    assert sorted(discovered[1]) == sorted((host, asked) for host in regional)
    # Nothing of the load needs the account's id.
    assert f"sts.{SUFFIX}" not in {host for host, _ in cloud.requests[unload:]}
    assert all(target.endswith(":443") for target in cloud.tunnels)


def test_a_cell_that_was_retired_is_discovered_anew(cloud, small):
    cloud.retired.add(f"query-cell1.timestream.{SUFFIX}")
    described = cloud._own_answer

    def second_cell_after_the_first(host, line):
        answer = described(host, line)
        if line.endswith(".DescribeEndpoints"):
            cloud.cell = 2
        return answer

    cloud._own_answer = second_cell_after_the_first
    expect(small.unload(**by_proxy(cloud)), 0)
    assert cloud.count(f"query.timestream.{SUFFIX}", "DescribeEndpoints") == 2
    assert cloud.count(f"query-cell1.timestream.{SUFFIX}", "Query") == 1
    assert cloud.count(f"query-cell2.timestream.{SUFFIX}", "Query") > 1


def test_a_configured_endpoint_means_no_discovery(cloud, small):
    result = small.unload(f"--query_endpoint=https://query-cell1.timestream.{SUFFIX}", **by_proxy(cloud))
    expect(result, 0)
    assert cloud.count(f"query.timestream.{SUFFIX}", "") == 0


def test_discovery_switched_off_is_refused_before_any_request(cloud, small):
    result = expect(small.unload(**by_proxy(cloud, AWS_ENABLE_ENDPOINT_DISCOVERY="false")), 3)
    assert "AWS_ENABLE_ENDPOINT_DISCOVERY" in result.stderr and "--query_endpoint" in result.stderr
    assert not cloud.tunnels


def test_an_authority_that_is_not_trusted(cloud, small):
    result = expect(small.unload(**by_proxy(cloud, AWS_CA_BUNDLE=None)), 3)
    assert "is not trusted" in result.stderr and "AWS_CA_BUNDLE" in result.stderr
    result = expect(small.unload("--no-verify-ssl", **by_proxy(cloud, AWS_CA_BUNDLE=None)), 0)
    assert "--no_verify_ssl: certificates are not checked" in result.stderr


def test_the_flag_names_the_authority(cloud, small):
    expect(small.unload("--ca-bundle", cloud.ca, **by_proxy(cloud, AWS_CA_BUNDLE=None)), 0)
    missing = cloud.ca.with_name("absent.pem")
    result = expect(small.unload("--ca-bundle", missing, prefix="v", **by_proxy(cloud)), 2)
    assert f"--ca-bundle: {missing} can't be read" in result.stderr


def test_a_proxy_that_refuses_is_named_and_its_password_is_not(cloud, small):
    cloud.refuse = 407
    proxy = f"http://operator:hush-hush@127.0.0.1:{cloud.port}"
    result = expect(small.unload("--debug", **by_proxy(cloud, HTTPS_PROXY=proxy)), 3)
    assert f"127.0.0.1:{cloud.port}" in result.stderr and "HTTPS_PROXY" in result.stderr
    assert "hush-hush" not in result.stderr + result.stdout


def test_no_proxy_is_heeded(cloud, small):
    """A proxy that is not there is not asked where NO_PROXY has the host, and is named where it has not."""
    endpoint = small.local.endpoint
    result = small.unload(**by_proxy(cloud, AWS_ENDPOINT_URL=endpoint, HTTP_PROXY="http://127.0.0.1:1",
                                     NO_PROXY="localhost,127.0.0.0/8"))
    expect(result, 0)
    assert not cloud.tunnels
    result = expect(small.unload(prefix="w", **by_proxy(cloud, AWS_ENDPOINT_URL=endpoint,
                                                        HTTP_PROXY="http://127.0.0.1:1")), 5)
    assert "HTTP_PROXY" in result.stderr
