#!/bin/bash
# A whole farm on this machine: real upstream software, built in clean chroots in the right order, published, and
# installed over HTTPS by the real pacman. See --help.
set -euo pipefail
cd "$(dirname "$(realpath "$0")")"

usage() {
  cat <<'TEXT'
Usage: ./demo.sh [--once] [--yes]

Builds hello, zlib with minizip, pigz, oniguruma, jq and bash-completion from a git repository of PKGBUILDs, installs two
of them into an empty root with pacman over HTTPS, then changes one package and upgrades it. Then the farm goes on until
Ctrl-C, so that you can look at its page.

  --once   exit when all is shown
  --yes    install missing packages of your distribution without asking

It works in .cache/demo below the checkout (or in $QUARTERS_DEMO). A second run begins with an empty farm, but keeps what
was downloaded. As root it builds as root does; as another user it needs subordinate ids (see /etc/subuid).
TEXT
}

once=no install_tools=(eng/install-tools)
for argument; do
  case $argument in
    --once) once=yes ;;
    --yes) install_tools+=(--yes) ;;
    -h | --help) usage; exit ;;
    *) usage >&2; exit 2 ;;
  esac
done

work=$(realpath -m "${QUARTERS_DEMO:-.cache/demo}")
export QUARTERS_CACHE=${QUARTERS_CACHE:-$PWD/.cache}
farm=$work/farm                # of this run only: configuration, key, journal, repositories
sources=$work/packages         # the git repository of PKGBUILDs
certificate=$farm/state/master/identity/cert.pem
root=$work/root                # where pacman installs
distribution=$QUARTERS_CACHE/distribution
up=                            # the process id of `quarters up`
patience=$((45 * 60))          # seconds until a farm that has not finished is called stuck

if [[ -t 1 && ! ${NO_COLOR:-} ]]; then bold=$'\e[1m' plain=$'\e[0m'; else bold='' plain=''; fi
step() { printf '\n%s==> %s%s\n' "$bold" "$*" "$plain"; }
note() { printf '    %s\n' "$*"; }
show() { printf '    $ %s\n' "$*"; "$@" | sed 's/^/    /'; }
die() { printf '\ndemo: %s\n' "$*" >&2; exit 1; }

# As root, or where we may be root in a user namespace of our own: what belongs to the builds' users is ours there.
privileged() {
  if ((EUID)); then unshare --user --map-auto --map-root-user --mount "$@"; else "$@"; fi
}

#---------------------------------------------------------------------------------------------------------------------
# What is needed

require_dotnet() {
  local dotnet
  dotnet=$(type -P dotnet || type -P "${DOTNET_ROOT:-/nonexistent}/dotnet" || type -P "$HOME/.dotnet/dotnet" || true)
  [[ $dotnet && $("$dotnet" --list-sdks) = *10.* ]] && return
  die ".NET SDK 10 is missing, and Quarters is built from this checkout with it.
On Arch: pacman -S dotnet-sdk aspnet-runtime. Elsewhere: https://dotnet.microsoft.com/download"
}

require_subordinate_ids() {
  ((EUID)) || return 0
  local user file
  user=$(id -un)
  for file in /etc/subuid /etc/subgid; do
    grep -qsE "^($user|$EUID):" "$file" || die "$user has no range in $file, so builds cannot have users of their own. Add one:
  sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 $user"
  done
}

prepare() {
  step "What this needs"
  require_dotnet
  "${install_tools[@]}"
  require_subordinate_ids
  note "programs: $(eng/install-tools --list | tr '\n' ' ')"
  ./quarters version | sed 's/^/    /'

  step "A distribution to build with"
  eng/mini-distribution "$distribution" | sed 's/^/    /'

  step "The upstream sources"
  eng/demo/fetch-sources "$work/srcdest" | sed 's/^/    /'
}

#---------------------------------------------------------------------------------------------------------------------
# The farm

git_here() { git -C "$sources" -c user.name="Demo Packager" -c user.email=demo@localhost "$@"; }

write_sources() {
  rm -rf "$sources"
  cp -r eng/demo/packages "$sources"
  git_here init --quiet --initial-branch main
  git_here add --all
  git_here commit --quiet --message "Packages of the demo"
  pkgbases=("$sources"/*/PKGBUILD)
  note "a git repository with ${#pkgbases[@]} PKGBUILDs: $sources"
}

free_port() {
  local port
  for port in {8443..8543..2}; do
    # The builder takes the next one.
    if ! (: < "/dev/tcp/127.0.0.1/$port") 2> /dev/null && ! (: < "/dev/tcp/127.0.0.1/$((port + 1))") 2> /dev/null; then
      echo "$port"
      return
    fi
  done
  die "no two ports from 8443 to 8543 is free"
}

# outside_repositories: the distribution's repositories as tables of quarters.toml.
outside_repositories() {
  local name servers
  for name in $(pacman-conf --config "$distribution/pacman.conf" --repo-list); do
    servers=$(pacman-conf --config "$distribution/pacman.conf" --repo "$name" Server | head -n 5 | sed 's/.*/"&"/' | paste -sd,)
    printf '[[outside]]\nname = "%s"\nservers = [%s]\n\n' "$name" "$servers"
  done
}

write_configuration() {
  cat > "$farm/quarters.toml" <<TOML
name = "demo"
listen = "127.0.0.1:$port"
state = "$farm/state"
architectures = ["x86_64"]
base = ["base", "base-devel"]

[[repository]]
name = "demo"

[[source]]
name = "packages"
kind = "git"
url = "$sources"
repository = "demo"
poll = "5 s"

[builder]
listen = "127.0.0.1:$((port + 1))"
slots = 2
sources-cache = ["$work/srcdest"]

$(outside_repositories)
TOML
}

start_farm() {
  stop_earlier_farm
  [[ ! -e $farm ]] || privileged rm -rf "$farm"
  mkdir -p "$work"
  port=$(free_port)
  address=https://127.0.0.1:$port
  ./quarters init "$farm" > /dev/null
  write_configuration
  # With job control on, the farm has a process group of its own: the terminal's Ctrl-C reaches us, and we drain it.
  set -m
  ./quarters up --config "$farm/quarters.toml" > "$work/up.log" 2>&1 &
  up=$!
  set +m
  echo "$up" > "$farm/up.pid"
  note "quarters up: process $up, its output in $work/up.log"
}

# Not SIGINT: where this script itself was started with `&` from a script, that is ignored by all that it starts.
stop_farm() {
  [[ $up ]] || return 0
  local process=$up
  up=
  kill -TERM "$process" 2> /dev/null || return 0
  wait "$process" || true
}

# A run that was killed leaves its farm behind, which would write into the folder that this run begins with.
stop_earlier_farm() {
  local process
  [[ -e $farm/up.pid ]] && read -r process < "$farm/up.pid" || return 0
  grep -qsF "$farm/quarters.toml" "/proc/$process/cmdline" || return 0
  note "stopping the farm of an earlier run: process $process"
  # The second signal does not wait for builds.
  kill -TERM "$process"
  sleep 1
  kill -TERM "$process" 2> /dev/null || true
  timeout 60 tail --pid="$process" -f /dev/null || die "the farm of an earlier run does not stop: process $process"
}

status() { ./quarters status --config "$farm/quarters.toml" "$@"; }

require_farm() { kill -0 "$up" 2> /dev/null || { tail -n 20 "$work/up.log" >&2; die "the farm has stopped: $work/up.log"; }; }

# until_built: waits until the farm has read the newest commit and has nothing to build any more. Says what changes.
until_built() {
  local head state line last='' why=no began=$SECONDS
  head=$(git_here rev-parse HEAD)
  while :; do
    ((SECONDS - began < patience)) || die "not finished after $patience seconds: ./quarters status --config $farm/quarters.toml"
    require_farm
    state=$(status --json 2> /dev/null) || { sleep 1; continue; }     # it does not answer yet
    if jq -e '.counts.failed + .counts.unreadable > 0' <<< "$state" > /dev/null; then
      status | sed 's/^/    /'
      die "a package could not be built"
    fi
    line=$(jq -r '"\(.counts.built) of \(.counts.packages) built" + ([.jobs[] | select(.status == "building") | .pkgbase]
      | if length > 0 then ", building " + join(" and ") else "" end)' <<< "$state")
    [[ $line = "$last" ]] || note "$(printf '%4d s  %s' $((SECONDS - began)) "$line")"
    last=$line
    if [[ $why = no ]] && jq -e 'any(.jobs[]; .pkgbase == "pigz" and .status == "blocked")' <<< "$state" > /dev/null; then
      why=yes
      show ./quarters why --config "$farm/quarters.toml" pigz
    fi
    if jq -e --arg head "$head" 'any(.sources[]; .cursor | contains($head)) and .counts.packages > 0
      and .counts.built == .counts.packages' <<< "$state" > /dev/null; then
      return
    fi
    sleep 1
  done
}

#---------------------------------------------------------------------------------------------------------------------
# The proof

# pacman.conf for a user of the farm: its repository over HTTPS, trusted by the certificate that `quarters init` made.
write_pacman_conf() {
  sed -e "/^\[options\]/a XferCommand = /usr/bin/curl --fail --silent --show-error --location --cacert $certificate --output %o %u" \
    -e "/^\[core\]/i [demo]\nSigLevel = Never\nServer = $address/repo/\$repo/os/\$arch\n" \
    "$distribution/pacman.conf" > "$work/pacman.conf"
}

pacman_here() { privileged pacman --config "$work/pacman.conf" --root "$root" "$@"; }

# pacman says much; it is shown when it fails.
install() {
  pacman_here --cachedir "$work/pacman-cache" --noconfirm --noprogressbar "$@" > "$work/pacman.log" 2>&1 ||
    { tail -n 20 "$work/pacman.log" >&2; die "pacman $* failed"; }
}

in_root() { privileged chroot "$root" "$@"; }

prove() {
  # The cache as well: packages of an earlier run have the same names, and other bytes.
  privileged rm -rf "$root" "$work/pacman-cache"
  mkdir -p "$root/var/lib/pacman" "$work/pacman-cache"
  write_pacman_conf
  note "pacman --root $root -Sy pigz jq"
  install -Sy pigz jq
  note "$(pacman_here -Q pigz zlib jq oniguruma | paste -sd,)"
  local answer
  answer=$(echo '{"coins": ["quarter", "dime"]}' | in_root pigz | in_root pigz -d | in_root jq -r '.coins[0]')
  note "in that root: echo '{\"coins\": …}' | pigz | pigz -d | jq -r '.coins[0]'  ->  $answer"
  [[ $answer = quarter ]] || die "that should have printed: quarter"
}

change_one_package() {
  sed -i 's/^pkgrel=1$/pkgrel=2/' "$sources/pigz/PKGBUILD"
  git_here commit --quiet --all --message "pigz: rebuild"
  note "git commit: pigz gets pkgrel=2"
  until_built
  install -Sy
  local upgrades
  upgrades=$(pacman_here -Qu | paste -sd,)
  note "pacman -Qu: $upgrades"
  install -Su
  [[ $upgrades = pigz\ *-1\ -\>\ *-2 ]] || die "pigz should have been upgraded, and nothing else"
  note "now $(pacman_here -Q pigz) is installed"
}

summary() {
  step "Summary"
  status | sed 's/^/    /'
  note ""
  note "page           $address/"
  note "repository     $address/repo/demo/os/x86_64/"
  note "certificate    $certificate"
  note "sources        $sources (commit there: it is built within seconds)"
  note "took           $SECONDS s"
}

main() {
  trap stop_farm EXIT
  prepare
  step "The farm"
  write_sources
  start_farm
  step "Building"
  until_built
  step "The real pacman installs over HTTPS"
  prove
  step "One package changes"
  change_one_package
  summary
  if [[ $once = no ]]; then
    note ""
    note "The farm goes on; Ctrl-C ends it."
    trap 'echo; note "stopping the farm"; exit 0' INT TERM
    wait "$up" || die "the farm has stopped: $work/up.log"
  fi
}

main
