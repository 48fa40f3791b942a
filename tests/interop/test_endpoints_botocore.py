"""AWS's public hosts by the library (judge_endpoints) and by botocore's endpoint rules: the same URL for every
service that the toolkit calls, in every region of every partition, with and without FIPS and dual stack.
TS_BUILD_DIR names the build directory that holds bin/judge_endpoints.
"""

import itertools
import os
import pathlib
import subprocess

import botocore.endpoint_provider
import botocore.exceptions
import botocore.loaders
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = pathlib.Path(os.environ.get("TS_BUILD_DIR", ROOT / "build")) / "bin" / "judge_endpoints"
SERVICES = ("s3", "sts", "sns", "timestream-write", "timestream-query", "sso", "sso-oidc")


def partitions():
    return botocore.loaders.create_loader().load_data("partitions")


def regions():
    """(region, partition) of all; a region that nobody knows yet; not the pseudo regions ("aws-global"), where
    nothing is."""
    known = [(region, partition["id"]) for partition in partitions()["partitions"] for region in partition["regions"]]
    return [(region, name) for region, name in known if not region.endswith("-global")] + [("eu-new-9", "aws")]


def rules(service):
    loader = botocore.loaders.create_loader()
    ruleset = loader.load_service_model(service, "endpoint-rule-set-1")
    return botocore.endpoint_provider.EndpointProvider(ruleset, partitions())


def botocores(provider, region, fips, dualstack):
    """The URL, or the refusal's text."""
    try:
        return provider.resolve_endpoint(Region=region, UseFIPS=fips, UseDualStack=dualstack).url
    except botocore.exceptions.EndpointProviderError as error:
        return f"refused: {error}"


def test_every_public_host_is_botocores():
    if not PROGRAM.exists():
        pytest.fail(f"{PROGRAM} is not built (TS_BUILD_DIR names the build directory)")
    cases = [
        (service, region, fips, dualstack, partition)
        for service in SERVICES
        for (region, partition), fips, dualstack in itertools.product(regions(), (False, True), (False, True))
    ]
    lines = "".join(f"{s} {r} {str(f).lower()} {str(d).lower()}\n" for s, r, f, d, _ in cases)
    done = subprocess.run([str(PROGRAM)], input=lines, capture_output=True, check=False, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    ours = done.stdout.splitlines()
    assert len(ours) == len(cases) > 1000

    providers = {service: rules(service) for service in SERVICES}
    different = []
    for (service, region, fips, dualstack, partition), url in zip(cases, ours):
        expected = botocores(providers[service], region, fips, dualstack)
        if service == "s3" and partition == "aws-cn" and fips:
            # The one place without a host; aws::ResolveSettings refuses it (FipsWhereS3HasNoneIsSaidAtOnce).
            assert expected.startswith("refused: ") and "FIPS" in expected
        elif url != expected:
            different.append(f"{service} {region} fips={fips} dualstack={dualstack}: {url}, botocore {expected}")
    assert not different, "\n".join(different[:20])
