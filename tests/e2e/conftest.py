"""Fixtures of the whole-process tests: a ts-local per test, stopped and checked afterwards."""

import os

import e2e_harness
import pytest


@pytest.fixture(autouse=True, scope="session")
def no_caller_aws():
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ["AWS_EC2_METADATA_DISABLED"] = "true"


@pytest.fixture
def start_local(tmp_path):
    """start_local(*flags) starts a ts-local in a folder of its own and returns it."""
    started = []

    def start(*flags):
        local = e2e_harness.Local(tmp_path / f"local-{len(started)}", *flags)
        started.append(local)
        return local.start()

    yield start
    problems = []
    for local in started:
        try:
            local.stop()
        except AssertionError as problem:
            problems.append(str(problem))
    assert not problems, problems


@pytest.fixture
def local(start_local):
    return start_local()


@pytest.fixture
def small(local, tmp_path):
    return e2e_harness.Small(local, tmp_path)
