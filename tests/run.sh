#!/usr/bin/env bash
# Builds the project and runs its tests; on a bare Debian 12 it first installs what is missing.
#   bash tests/run.sh                       Release build, layer check, unit, interop and end-to-end tests, LocalStack smoke
#   bash tests/run.sh --sanitize address    the same tests on a build with address and undefined-behaviour sanitizers
#   bash tests/run.sh --sanitize thread     the same on a build with the thread sanitizer, without the largest tables
#   bash tests/run.sh --lint                layer check, clang-format and clang-tidy; no test is run
# Exit code 0 only when everything passed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. tests/lib/common.sh

usage() {
  sed -n '2,7s/^# \{0,1\}//p' tests/run.sh
  exit "$1"
}

sanitize='' lint=''
while [ $# -gt 0 ]; do
  case $1 in
    --sanitize)
      case ${2:-} in address | thread) sanitize=$2 ;; *) usage 2 >&2 ;; esac
      shift
      ;;
    --lint) lint=yes ;;
    -h | --help) usage 0 ;;
    *) usage 2 >&2 ;;
  esac
  shift
done
[ -z "$lint" ] || [ -z "$sanitize" ] || usage 2 >&2

closing=()  # one line per step, printed at the end whatever happened
failed=0
note() {  # note STEP STATUS TEXT
  closing+=("$(printf '%-12s %s' "$1" "$3")")
  [ "$2" -eq 0 ] || failed=1
}
finish() {
  say "Result"
  printf '%s\n' "${closing[@]}"
  if [ "$failed" -ne 0 ]; then
    echo "FAILED"
    exit 1
  fi
  echo "ALL PASSED"
  exit 0
}

check_layers() {
  say "Layers"
  local status=0
  python3 tests/lint/check_layers.py . || status=$?
  note layers "$status" "$([ "$status" -eq 0 ] && echo 'no forbidden include' || echo 'forbidden includes, listed above')"
}

run_lint() {
  install_missing "${TSM_LINT_PACKAGES[@]}"
  check_layers
  say "clang-format"
  local files status=0
  mapfile -t files < <(find include src apps tests -name '*.cc' -o -name '*.h' | sort)
  clang-format --dry-run --Werror "${files[@]}" || status=$?
  note format "$status" "${#files[@]} files, $([ "$status" -eq 0 ] && echo clean || echo 'not formatted as .clang-format says')"
  say "clang-tidy"
  status=0
  run-clang-tidy -quiet -p build/release -j "$(nproc)" "^$PWD/(src|apps)/" 2>/dev/null |
    sed 's/\x1b\[[0-9;]*m//g' >build/clang-tidy.log || status=$?
  grep -E '(warning|error):' build/clang-tidy.log | sort -u || true
  note tidy "$status" "$([ "$status" -eq 0 ] && echo clean || echo 'findings, listed above (whole log: build/clang-tidy.log)')"
}

# The tests' own Python, so that neither the system's boto3 nor a user's site-packages take part.
make_venv() {
  local stamp
  stamp=$(sha256sum tests/requirements.txt | cut -d' ' -f1)
  if [ "$(cat build/venv/stamp 2>/dev/null)" != "$stamp" ]; then
    say "Python environment"
    rm -rf build/venv
    python3 -m venv build/venv
    build/venv/bin/python -m pip install --quiet --disable-pip-version-check -r tests/requirements.txt
    echo "$stamp" >build/venv/stamp
  fi
}

run_ctest() {  # run_ctest PRESET
  say "Unit tests"
  local log=build/ctest-$1.log status=0
  "${wrapper[@]}" ctest --test-dir "build/$1" --output-on-failure -j "$(nproc)" >"$log" 2>&1 || status=$?
  if [ "$status" -ne 0 ]; then grep -v '^ *[0-9]*/[0-9]* Test .* Passed' "$log" | tail -n 200; fi
  grep -A100 'did not run' "$log" || true
  local total lost skipped
  total=$(sed -n 's/^.* tests failed out of \([0-9]*\)$/\1/p' "$log")
  lost=$(sed -n 's/^.*%\( tests passed\)\{0,1\}[^0-9]*\([0-9]*\) tests failed out of.*$/\2/p' "$log")
  skipped=$(grep -cE '\*\*\*Skipped' "$log" || true)
  [ -n "$total" ] && [ "$total" -gt 0 ] || status=1
  note unit "$status" "$((${total:-0} - ${lost:-0} - skipped)) passed, ${lost:-0} failed, $skipped skipped"
}

run_pytest() {  # run_pytest PRESET FOLDER-OR-OPTION...
  say "Python tests: ${*:2}"
  local log=build/pytest-$1.log status=0
  TS_BUILD_DIR="$PWD/build/$1" PATH="$PWD/build/venv/bin:$PATH" PYTHONNOUSERSITE=1 \
    "${wrapper[@]}" build/venv/bin/python -m pytest -c tests/pytest.ini --rootdir tests -n "${TSM_TEST_JOBS:-4}" "${@:2}" 2>&1 | tee "$log" || status=$?
  note python "$status" "$(tail -n 1 "$log" | sed 's/=//g; s/^ *//; s/ *$//')"
}

run_smoke() {
  say "LocalStack smoke"
  local status=0
  TS_BUILD_DIR=build/release bash tests/localstack_smoke.sh 2>&1 | tee build/smoke.log || status=$?
  note smoke "$status" "$(tail -n 1 build/smoke.log)"
}

unset PYTHONPATH PYTHONHOME
install_missing "${TSM_BUILD_PACKAGES[@]}" "${TSM_TEST_PACKAGES[@]}"
forget_caller_aws
wrapper=()
preset=release
selection='slow or not slow'  # all
case $sanitize in
  address)
    preset=asan
    selection='not many'
    # 86: a code that no test expects, so that a report can't pass for an expected failure.
    export ASAN_OPTIONS=exitcode=86:detect_leaks=1 UBSAN_OPTIONS=print_stacktrace=1:exitcode=86
    ;;
  thread)
    preset=tsan
    selection='not slow and not many'
    export TSAN_OPTIONS=exitcode=86:halt_on_error=1:second_deadlock_stack=1
    # This compiler's thread sanitizer knows fewer address layouts than newer kernels choose from.
    if setarch "$(uname -m)" -R true 2>/dev/null; then wrapper=(setarch "$(uname -m)" -R); fi
    ;;
esac
say "Building build/$preset"
configure_with=(configure_and_build "$preset" -DTSM_TESTS=ON)
if [ ${#wrapper[@]} -gt 0 ]; then
  # The build lists the tests by running them, so it needs the fixed layout too.
  "${wrapper[@]}" bash -c 'set -euo pipefail; . tests/lib/common.sh; "$@"' _ "${configure_with[@]}"
else
  "${configure_with[@]}"
fi
if [ -n "$lint" ]; then
  run_lint
  finish
fi
check_layers
make_venv
run_ctest "$preset"
run_pytest "$preset" tests/lint tests/interop tests/e2e -m "$selection"
[ -n "$sanitize" ] || run_smoke
finish
