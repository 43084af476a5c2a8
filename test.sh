#!/usr/bin/env bash
# Tests everything: installs what the tests need, builds, checks the format, runs every project in tests/ and ends with
# the line `N passed, N failed`. Skipped tests, and projects in which no test ran, count as failed.
#
#   ./test.sh                          everything
#   ./test.sh --fast                   without the projects that make chroots and run daemons
#   ./test.sh Quarters.Core.Tests …    these projects only
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")"

export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1
export QUARTERS_CACHE=${QUARTERS_CACHE:-$PWD/.cache}
reports=$PWD/artifacts/test
real=(Quarters.Chroots.Tests Quarters.Builder.Tests Quarters.EndToEnd) # These need the distribution.

fast=false
chosen=()
for argument in "$@"; do
  case $argument in
    --fast) fast=true ;;
    -h | --help)
      sed -n '2,7s/^# \{0,1\}//p' test.sh
      exit ;;
    *)
      argument=${argument%/}
      argument=${argument##*/}
      [[ -e tests/$argument/$argument.csproj ]] || { echo "test.sh: there is no test project $argument" >&2; exit 2; }
      chosen+=("$argument") ;;
  esac
done

is_real() { [[ " ${real[*]} " == *" $1 "* ]]; }

if ((${#chosen[@]} == 0)); then
  for project in tests/*/*.csproj; do
    project=$(basename "$project" .csproj)
    # A driver is a program that tests start, and has none itself.
    [[ $project != *.Driver ]] || continue
    { $fast && is_real "$project"; } || chosen+=("$project")
  done
fi

say() { printf '== %s (%d s)\n' "$*" "$SECONDS"; }

# Ends with the line that says it all; what broke before a test could run is one failure.
finish() {
  printf '%d passed, %d failed\n' "$1" "$2"
  (($2 == 0 && $1 > 0)) || exit 1
  exit 0
}

step() {
  say "$1"
  shift
  "$@" && return
  echo "test.sh: failed: $*" >&2
  finish 0 1
}

step 'what the tests need' eng/install-tools --yes
step 'build' dotnet build Quarters.slnx -v quiet --nologo
if ((${#} == 0)) || $fast; then
  # Style and analyzers have their say in the build.
  step 'format' dotnet format whitespace --folder --verify-no-changes --exclude artifacts .cache
fi
# What users run: `./quarters` builds it, and the end-to-end tests start it.
[[ " ${chosen[*]} " != *' Quarters.EndToEnd '* ]] || step 'the program' ./quarters version
for project in "${chosen[@]}"; do
  if is_real "$project"; then
    step 'distribution' eng/mini-distribution "$QUARTERS_CACHE/distribution"
    export QUARTERS_TEST_REPO=$QUARTERS_CACHE/distribution/repo
    step 'upstream files' eng/demo/fetch-sources "$QUARTERS_CACHE/sources"
    export QUARTERS_TEST_SOURCES=$QUARTERS_CACHE/sources
    break
  fi
done

run_project() {
  local project=$1 report=$2/$1
  mkdir -p "$report"
  if ! dotnet "artifacts/bin/$project/debug/$project.dll" -noColor -noLogo -result-xml "$report/report.xml" \
    > "$report/output.txt" 2>&1; then
    # One write, so that two projects do not mix their lines.
    printf '%s\n' "$(tail -n 200 "$report/output.txt")"
  fi
}
export -f run_project

rm -rf "$reports"
say 'tests'
slow=()
quick=()
for project in "${chosen[@]}"; do
  if is_real "$project"; then slow+=("$project"); else quick+=("$project"); fi
done
# The others share nothing but the processors; those with chroots and daemons measure time and memory, and run alone.
# Sources takes the longest and so begins first.
((${#quick[@]} == 0)) || printf '%s\n' "${quick[@]}" | sort -r | xargs -P 2 -I{} bash -c 'run_project "$@"' - {} "$reports"
for project in "${slow[@]}"; do run_project "$project" "$reports"; done

passed=0
failed=0
printf '\n%-32s %8s %8s %8s\n' project passed failed skipped
for project in "${chosen[@]}"; do
  report=$reports/$project/report.xml
  counts=(0 1 0) # A project that left no report crashed.
  if [[ -s $report ]] && assembly=$(grep -m 1 -o '<assembly [^>]*>' "$report"); then
    count() { [[ $assembly =~ \ $1=\"([0-9]+)\" ]] && echo "${BASH_REMATCH[1]}" || echo 0; }
    counts=("$(count passed)" $(($(count failed) + $(count errors))) "$(count skipped)")
    ((counts[0] + counts[1] + counts[2] > 0)) || counts[1]=1
  fi
  printf '%-32s %8d %8d %8d\n' "$project" "${counts[@]}"
  ((passed += counts[0], failed += counts[1] + counts[2])) || true
done
say 'reports are in artifacts/test'
finish "$passed" "$failed"
