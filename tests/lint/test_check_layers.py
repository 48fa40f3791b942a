"""The layer check is itself checked: each rule must find its offender, and a clean tree must pass."""

import pathlib
import subprocess
import sys

import pytest

CHECK = pathlib.Path(__file__).with_name("check_layers.py")
CLEAN = {
    "include/tsm/core/clock.h": "#pragma once\n#include <chrono>\n",
    "include/tsm/s3/s3_client.h": '#pragma once\n#include "tsm/core/clock.h"\n',
    "src/http/curl_transport.cc": '#include <curl/curl.h>\n#include "tsm/core/clock.h"\n',
    "src/aws/crypto.cc": "#include <openssl/hmac.h>\n",
    "apps/ts_local/main.cc": "#include <httplib.h>\n#include <sys/stat.h>\n",
    "apps/ts_unload/main.cc": '#include "common/console.h"\n#include "tsm/s3/s3_client.h"\n',
}
OFFENDERS = [
    ("include/tsm/core/bad.h", '#pragma once\n#include "tsm/http/message.h"\n', "core may not look into room http"),
    ("src/s3/bad.cc", '#include "tsm/sns/sns_client.h"\n', "s3 may not look into room sns"),
    ("src/copy/bad.cc", '#include "tsm/batchload/plan.h"\n', "copy may not look into room batchload"),
    ("src/model/bad.cc", '#include "tsm/run/manifest.h"\n', "model may not look into room run"),
    ("include/tsm/aws/bad.h", "#pragma once\n#include <openssl/sha.h>\n", "stands only in"),
    ("include/tsm/core/posix.h", "#pragma once\n#include <unistd.h>\n", "only the standard library"),
    ("src/aws/second.cc", "#include <openssl/sha.h>\n", "named in one file"),
    ("apps/ts_local/bad.cc", '#include "tsm/aws/signer.h"\n', "links nothing of the library"),
    ("apps/ts_local/bad2.cc", '#include "common/console.h"\n', "shares nothing"),
    ("apps/ts_unload/bad.cc", '#include "ts_batchload/plan.h"\n', "may not look into apps/ts_batchload"),
    ("apps/common/bad.cc", '#include "ts_unload/options.h"\n', "may not look into"),
    ("src/core/bad.cc", "#include <boost/asio.hpp>\n", "of no library"),
    ("src/core/bad2.cc", "#include <gtest/gtest.h>\n", "a test library"),
    ("src/kitchen/bad.cc", "#include <string>\n", "none of the rooms"),
    ("include/tsm/core/bare.h", "#include <string>\n", "without #pragma once"),
    ("src/core/long.cc", "\n" * 601, "the limit is"),
]


def run_check(tmp_path, extra):
    for name, text in {**CLEAN, **extra}.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return subprocess.run([sys.executable, CHECK, tmp_path], capture_output=True, text=True, check=False)


def test_clean_tree_passes(tmp_path):
    result = run_check(tmp_path, {})
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize("name,text,expected", OFFENDERS, ids=[o[0] for o in OFFENDERS])
def test_offender_is_found(tmp_path, name, text, expected):
    result = run_check(tmp_path, {name: text})
    assert result.returncode == 1
    assert any(line.startswith(name) and expected in line for line in result.stdout.splitlines()), result.stdout


def test_empty_tree_is_an_error(tmp_path):
    assert subprocess.run([sys.executable, CHECK, tmp_path], capture_output=True, check=False).returncode == 2
