"""3,000 worlds of variables and shared files (settings_worlds.py), read by the library (judge_settings) and by
botocore: the same settings of each profile, the same source of credentials with the same details down the whole
chain of roles, an error where botocore has one. TS_BUILD_DIR names the build directory that holds
bin/judge_settings. Where botocore would start a program or call a service it is stopped short.
"""

import collections
import json
import os
import pathlib
import subprocess
from unittest import mock

import botocore.credentials
import botocore.exceptions
import botocore.session
import pytest
import settings_worlds

COUNT = 3_000
SEED = 20260229
ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = pathlib.Path(os.environ.get("TS_BUILD_DIR", ROOT / "build")) / "bin" / "judge_settings"


class Found:
    """Credentials whose source was not asked."""

    def __init__(self, **what):
        self.what = what


def stopped_short():
    """botocore's sources, each up to the point where it would leave the process."""

    def process(provider):
        command = provider._credential_process
        return None if command is None else Found(kind="process", command=command)

    def login(provider):
        profile = provider._load_config().get("profiles", {}).get(provider._profile_name, {})
        return Found(kind="login", session=profile["login_session"]) if "login_session" in profile else None

    def container(provider):
        if provider._provided_relative_uri():
            return Found(kind="container", url=provider._fetcher.full_url(provider._environ[provider.ENV_VAR]))
        return Found(kind="container", url=provider._environ[provider.ENV_VAR_FULL])

    def instance(provider):
        fetcher = provider._role_fetcher
        if fetcher._disabled:
            return None
        return Found(kind="instance", endpoint=fetcher._base_url.rstrip("/"), attempts=fetcher._num_attempts,
                     v1_disabled=bool(fetcher._imds_v1_disabled), timeout=fetcher._timeout)

    patch = mock.patch.object
    credentials = botocore.credentials
    return [
        patch(credentials.ProcessProvider, "load", process),
        patch(credentials.LoginProvider, "load", login),
        patch(credentials.ContainerProvider, "_retrieve_or_fail", container),
        patch(credentials.InstanceMetadataProvider, "load", instance),
        mock.patch("botocore.httpsession.URLLib3Session"),  # each would read the system's certificates
    ]


def described(found):
    """The chain of sources that botocore's credentials stand for."""
    if isinstance(found, Found):
        return [found.what]
    if not isinstance(found, botocore.credentials.RefreshableCredentials):
        return [{"kind": "keys", "key": found.access_key, "token": found.token or "",
                 "account": found.account_id or ""}]
    fetcher = found._refresh_using.__self__
    if isinstance(fetcher, botocore.credentials.SSOCredentialFetcher):
        return [{"kind": "sso", "session": fetcher._sso_session_name or "", "start_url": fetcher._start_url,
                 "region": fetcher._sso_region, "account": fetcher._account_id, "role": fetcher._role_name}]
    given = fetcher._assume_kwargs
    session = "" if fetcher._using_default_session_name else given["RoleSessionName"]
    if isinstance(fetcher, botocore.credentials.AssumeRoleWithWebIdentityCredentialFetcher):
        return [{"kind": "web identity", "role": given["RoleArn"], "session": session,
                 "file": fetcher._web_identity_token_loader._web_identity_token_path}]
    role = {"kind": "role", "role": given["RoleArn"], "session": session,
            "external_id": given.get("ExternalId", ""), "duration": given.get("DurationSeconds", 3600)}
    return [role, *described(fetcher._source_credentials)]


def botocores(world):
    """botocore's answer in judge_settings's form."""
    with mock.patch.dict(os.environ, world["environment"], clear=True):
        session = botocore.session.Session(profile=world["profile"] or None, include_builtin_handlers=False)
        try:
            session.get_scoped_config()
            found = botocore.credentials.create_credential_resolver(session).load_credentials()
            profiles = session.full_config["profiles"]
        except botocore.exceptions.BotoCoreError as error:
            return {"error": f"{type(error).__name__}: {error}"}
    if found is None:
        return {"error": "none found"}
    return {"profiles": {name: profiles.get(name) for name in world["show"]}, "credentials": described(found)}


def put_files(world):
    pathlib.Path(world["environment"]["AWS_CONFIG_FILE"]).write_text(world["config"])
    pathlib.Path(world["environment"]["AWS_SHARED_CREDENTIALS_FILE"]).write_text(world["credentials"])


def ours(worlds):
    """judge_settings's answers, one process for all worlds."""
    if not PROGRAM.exists():
        pytest.fail(f"{PROGRAM} is not built (TS_BUILD_DIR names the build directory)")
    lines = [json.dumps({key: world[key] for key in ("environment", "profile", "show")}) for world in worlds]
    done = subprocess.run([str(PROGRAM)], input="\n".join(lines) + "\n", capture_output=True, check=False,
                          encoding="utf-8", timeout=300)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.split("\n")[:-1]]


def one_form(answer):
    """Settings that both readers mean alike in one writing: an empty one is an absent one."""
    answer = {**answer, "profiles": dict(answer["profiles"])}
    for name, settings in answer["profiles"].items():
        if settings is not None:
            answer["profiles"][name] = {key: value for key, value in settings.items() if value != ""}
    return answer


def pair_of_one_file(answer, expected, name):
    """Where both files have keys of a profile, botocore's merged view mixes their tokens and account numbers (its
    sources of keys read each file by itself, and those are compared)."""
    for settings in (answer["profiles"][name], expected["profiles"][name]):
        for key in ("aws_session_token", "aws_account_id"):
            (settings or {}).pop(key, None)


def test_every_world_is_read_as_botocore_reads_it(tmp_path):
    generator = settings_worlds.Generator(SEED)
    worlds = []
    for number in range(COUNT):
        directory = tmp_path / str(number)
        directory.mkdir()
        worlds.append(generator.world(directory))
        put_files(worlds[-1])
    answers = ours(worlds)
    assert len(answers) == COUNT

    kinds = collections.Counter()
    different = []
    patches = stopped_short()
    for patch in patches:
        patch.start()
    try:
        for world, answer in zip(worlds, answers):
            expected = botocores(world)
            if "error" in answer or "error" in expected:
                kinds["error"] += 1
                if ("error" in answer) != ("error" in expected):
                    different.append((world, answer, expected))
                continue
            answer, expected = one_form(answer), one_form(expected)
            for name in world["show"]:
                pair_of_one_file(answer, expected, name)
            kinds[answer["credentials"][0]["kind"]] += 1
            kinds[f"{len(answer['credentials'])} deep"] += 1
            if answer != expected:
                different.append((world, answer, expected))
    finally:
        for patch in patches:
            patch.stop()
    assert not different, report(different)
    # Every source was chosen, chains of roles too.
    for kind in ("keys", "role", "web identity", "sso", "login", "process", "container", "instance", "error",
                 "1 deep", "2 deep", "3 deep"):
        assert kinds[kind] >= 10, kinds


def report(different):
    world, answer, expected = different[0]
    return (f"{len(different)} differ; the first:\n{json.dumps(world['environment'], indent=1)}\n"
            f"--profile '{world['profile']}'\n{world['config']}\n-- credentials\n{world['credentials']}\n"
            f"ours:     {json.dumps(answer, sort_keys=True)}\nbotocore: {json.dumps(expected, sort_keys=True)}")
