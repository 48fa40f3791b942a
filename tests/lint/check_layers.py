#!/usr/bin/env python3
"""Walks every #include of the project and fails on one that the house rules forbid.

usage: check_layers.py CHECKOUT

Rules (README, "Rooms"): a room includes only itself and the rooms below it; siblings never include each other;
ts-local includes nothing of the library it judges; a third party's header stands in the files named in
THIRD_PARTY and never in include/. A header opens with #pragma once. Files over 400 lines are noted, over 600 refused.
"""

import fnmatch
import pathlib
import re
import sys

BASE = ["core", "http", "aws"]
SERVICES = ["s3", "timestream", "sts", "sns"]
DATA = ["model", "run"]
OPERATIONS = ["unload", "copy", "batchload", "verify"]

# Room -> the other rooms that its files may include.
MAY_INCLUDE = {"core": [], "http": ["core"], "aws": ["core", "http"]}
MAY_INCLUDE.update({room: BASE for room in SERVICES})
MAY_INCLUDE.update({room: BASE + SERVICES for room in DATA})
MAY_INCLUDE.update({room: BASE + SERVICES + DATA for room in OPERATIONS})
ROOMS = list(MAY_INCLUDE)

# First part (or whole) of a third party's include -> the files that may name it.
THIRD_PARTY = {
    "curl": ["src/http/curl_transport.cc", "src/http/curl_exchange.h", "src/http/curl_multi.h", "src/http/trust_store.h"],
    "openssl": ["src/aws/*.cc", "src/http/trust_store.cc", "apps/ts_local/*.cc"],
    "nlohmann": ["src/core/journal.cc", "src/aws/service_errors.cc", "src/aws/credentials/*.cc", "src/timestream/*", "src/model/*.cc",
                 "src/run/*.cc", "src/unload/bucket_policy.cc", "src/unload/unload_plan_json.cc",
                 "src/batchload/error_report.cc", "src/batchload/load_plan_json.cc", "src/verify/content_lines.cc", "apps/ts_local/*"],
    "pugixml.hpp": ["src/aws/service_errors.cc", "src/aws/credentials/*.cc", "src/s3/*xml*.cc", "src/sts/*.cc", "src/sns/*.cc", "apps/ts_local/*.cc"],
    "CLI": ["apps/common/session_options.cc", "apps/common/flag_section.h", "apps/*/options.cc", "apps/ts_local/main.cc", "apps/ts_local/batch_load_options.cc"],
    "spdlog": ["apps/common/console.cc"],
    "httplib.h": ["apps/ts_local/*"],
    "sqlite3.h": ["apps/ts_local/*"],
    "zlib.h": ["apps/ts_local/gzip_stream.cc", "src/copy/inflate_stream.cc"],
}
ONE_FILE = {"openssl": ["src/aws/", "src/http/"]}  # in each of these folders a single file may name it
TEST_ONLY = {"gtest", "gmock"}
POSIX = re.compile(r"^(sys/\w+|netinet/\w+|arpa/inet|unistd|fcntl|poll|signal|pthread|netdb|spawn|dirent|termios|"
                   r"errno|locale|malloc|stdlib|string|time)\.h$")
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
NOTE_LINES, MAX_LINES = 400, 600


def room_of(path):
    """The library room of a file, the app's folder as "apps/<name>", or None for tests and benches."""
    parts = path.parts
    if parts[0] == "include":
        return parts[2]
    if parts[0] == "src":
        return parts[1]
    if parts[0] == "apps":
        return "apps/" + parts[1]
    return None


def check_own(path, room, target):
    """A quoted include: may this room look into that one?"""
    other = target.split("/")
    if other[0] == "tsm":
        if room == "apps/ts_local":
            return "ts-local links nothing of the library"
        if room in MAY_INCLUDE and other[1] != room and other[1] not in MAY_INCLUDE[room]:
            return f"room {room} may not look into room {other[1]}"
        return None
    if room in MAY_INCLUDE and path.parts[0] == "include":
        return "a public header includes only tsm/ headers"
    if room in MAY_INCLUDE:  # a private header of the same room, by its bare name or its folder
        return None if len(other) == 1 or other[0] == room or other[:2] == ["src", room] \
            else f"room {room} may not include {target}"
    if room and room.startswith("apps/"):
        own = room.split("/")[1]
        if len(other) > 1 and other[0] not in (own, "common"):
            return f"{room} may not look into apps/{other[0]}"
        if own == "ts_local" and other[0] == "common":
            return "ts-local shares nothing with the two programs"
        if own == "common" and other[0] != "common":
            return "apps/common stands below the programs"
    return None


def check_foreign(path, room, target):
    """An angled include: the standard library and POSIX anywhere below the tests, a third party where named."""
    if "." not in target and "/" not in target:
        return None
    if path.parts[0] in ("tests", "bench"):
        return None
    if POSIX.match(target):
        return "include/ holds only the standard library's headers" if path.parts[0] == "include" else None
    first = target.split("/")[0]
    if first in TEST_ONLY:
        return "a test library outside tests/"
    if first not in THIRD_PARTY:
        return f"<{target}> is of no library that this project uses; name it in check_layers.py if it is to be"
    if not any(fnmatch.fnmatch(path.as_posix(), pattern) for pattern in THIRD_PARTY[first]):
        return f"<{target}> stands only in {', '.join(THIRD_PARTY[first])}"
    return None


def check_file(root, path, named_by):
    """All findings of one file as text lines."""
    text = (root / path).read_text(encoding="utf-8")
    lines = text.splitlines()
    room = room_of(path)
    findings = []
    if path.parts[0] in ("include", "src") and room not in MAY_INCLUDE:
        findings.append(f"{path}:1: folder {room} is none of the rooms")
    if path.suffix == ".h" and "#pragma once" not in text:
        findings.append(f"{path}:1: a header without #pragma once")
    if len(lines) > MAX_LINES:
        findings.append(f"{path}:{len(lines)}: {len(lines)} lines, the limit is {MAX_LINES}")
    for number, line in enumerate(lines, 1):
        match = INCLUDE.match(line)
        if not match:
            continue
        kind, target = match.groups()
        problem = check_own(path, room, target) if kind == '"' else check_foreign(path, room, target)
        if problem:
            findings.append(f"{path}:{number}: {problem}")
        named_by.setdefault(target.split("/")[0], set()).add(path.as_posix())
    return findings, len(lines)


def main(root):
    root = pathlib.Path(root).resolve()
    files = sorted(p.relative_to(root) for folder in ("include", "src", "apps", "tests", "bench")
                   for p in (root / folder).rglob("*") if p.suffix in (".h", ".cc"))
    if not files:
        print(f"{root}: no C++ files found", file=sys.stderr)
        return 2
    findings, named_by = [], {}
    for path in files:
        found, count = check_file(root, path, named_by)
        findings += found
        if NOTE_LINES < count <= MAX_LINES:
            print(f"note: {path} has {count} lines")
    for library, folders in ONE_FILE.items():
        for folder in folders:
            users = sorted(f for f in named_by.get(library, ()) if f.startswith(folder))
            if len(users) > 1:
                findings.append(f"{users[1]}:1: {library} is named in one file of {folder} only, and {users[0]} has it")
    for finding in findings:
        print(finding)
    print(f"{len(files)} files, {len(findings)} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1]))
