# Reads many PKGBUILDs, one subshell each, and prints what they say: a frame for each on standard output,
# "INDEX STATUS LENGTH LENGTH\n" and as many bytes of facts and of error messages. Frame -1 holds the limits that every
# subshell must start with. Arguments: the CPU seconds and the KiB of a file that one may use, the processes and the KiB
# of memory that all may use, and "facts", or "version" for what pkgver() says. The directories come on standard input,
# each with a NUL behind it: the shell is started before they are known, and waits.
#
# It runs by `bash -c` (a script's descriptor would be shared with what it starts) in a sandbox in which /tmp is the
# only place to write, from a bash that nobody may read: the kernel then lets no other process, not even of the same
# user, look into its memory or its descriptors. So a PKGBUILD can kill this process, which is seen, but it can not
# speak for its neighbours.
exec 2>/dev/null
# Once loaded, the locale that every subshell is to have need not be loaded by each.
LC_ALL=C.UTF-8
LC_ALL=C
shopt -s extglob dotglob nullglob
q_cpu=$1 q_file=$2 q_ask=$5
ulimit -u "$3" && ulimit -v "$4" && ulimit -c 0 || exit 71

q_strings=(changelog epoch install pkgbase pkgdesc pkgrel pkgver url)
q_arrays=(arch backup checkdepends conflicts depends groups license makedepends noextract optdepends options provides
  replaces source validpgpkeys {ck,md5,sha1,sha224,sha256,sha384,sha512,b2}sums)

# What PKGBUILDs may expect of makepkg while they are read.
E_OK=0 E_FAIL=1 E_MISSING_FILE=6 E_PKGBUILD_ERROR=12
gettext() { printf '%s' "$1"; }
plain() { local text=$1; shift; printf "    $text\n" "$@"; }
plainerr() { plain "$@" >&2; }
msg() { local text=$1; shift; printf "==> $text\n" "$@"; }
msg2() { local text=$1; shift; printf "  -> $text\n" "$@"; }
warning() { local text=$1; shift; printf "==> WARNING: $text\n" "$@" >&2; }
error() { local text=$1; shift; printf "==> ERROR: $text\n" "$@" >&2; }
in_array() { local wanted=$1 item; shift; for item; do [[ $item = "$wanted" ]] && return 0; done; return 1; }
is_array() { local name=$1; [[ ${!name@a} = *a* ]]; }
have_function() { declare -F "$1" >/dev/null; }
check_opt_array() {
  local option=$1 expected=$2 i; shift 2
  for ((i = $#; i > 0; i--)); do
    case ${!i} in
      "$option") [[ $expected = y ]]; return ;;
      "!$option") [[ $expected = n ]]; return ;;
    esac
  done
  return 127
}
check_option() { check_opt_array "$@" "${OPTIONS[@]}" "${options[@]}"; }
check_buildenv() { check_opt_array "$@" "${BUILDENV[@]}"; }
check_buildoption() { check_opt_array "$@" "${BUILDENV[@]}" "${options[@]}"; }
get_full_version() {
  if ((epoch > 0)); then printf '%s\n' "$epoch:$pkgver-$pkgrel"; else printf '%s\n' "$pkgver-$pkgrel"; fi
}
get_pkg_arch() { if [[ $arch = any ]]; then echo any; else echo "$CARCH"; fi; }
get_url() { printf '%s\n' "${1#*::}"; }
cd_safe() { cd "$1" || { error "Failed to change to directory %s" "$1"; exit 1; }; }

# Where declarations made at the top of a PKGBUILD end: as in makepkg, in a function that is over when it was read.
source_safe() {
  shopt -u extglob
  if ! source "$@"; then
    error "Failed to source %s" "${1##*/}"
    exit $E_MISSING_FILE
  fi
  shopt -s extglob
}

# Adds values to q_text, one a line: a backslash becomes two, a line break becomes \n. All is written at the end at once.
q_values() {
  (($#)) || return
  local q_list=("$@")
  q_list=("${q_list[@]//\\/\\\\}")
  q_list=("${q_list[@]//$'\n'/\\n}")
  printf -v q_list '=%s\n' "${q_list[@]}"
  q_text+=$q_list
}

# One global variable: its kind (s string, a array, m map), then its values.
q_global() {
  local q_attr=$1 q_kind=s q_keys q_copy=() q_i
  [[ ${!q_attr@a} = *a* ]] && q_kind=a
  [[ ${!q_attr@a} = *A* ]] && q_kind=m
  eval "q_keys=(\"\${!$q_attr[@]}\"); q_copy=(\"\${$q_attr[@]}\")"
  if [[ $q_kind = a ]] && ((${#q_keys[@]} && q_keys[-1] + 1 != ${#q_keys[@]})); then q_kind=g; fi
  q_text+="V $q_kind $q_attr"$'\n'
  q_values "${q_copy[@]}"
}

# What a package function assigns to one attribute: its lines are evaluated on top of the global value.
q_override() {
  local q_attr=$1 q_array=$2 q_decl q_copy
  shift 2
  local q_out
  if ((q_array)); then
    q_out=()
    if declare -p "$q_attr" &>/dev/null; then eval "q_out=(\"\${$q_attr[@]}\")"; fi
  else
    q_out=${!q_attr}
  fi
  for q_decl; do eval "${q_decl/#$q_attr/q_out}"; done
  if ((q_array)); then
    q_text+="O a $pkgname $q_attr"$'\n'
    q_values "${q_out[@]}"
  else
    q_text+="O s $pkgname $q_attr"$'\n'
    q_values "$q_out"
    [[ ($q_attr = install || $q_attr = changelog) && $q_out && ! -f $q_out ]] && q_missing "$q_attr" "$q_out"
  fi
}

q_missing() { q_text+="M $1"$'\n'; q_values "$2"; }

# The assignments in package_NAME() (or package()), as bash prints the function: one line each.
q_function() {
  local pkgname=$1 q_line q_key q_lines
  { declare -f "package_$1" || declare -f package; } >/tmp/function || return
  mapfile -t q_lines </tmp/function
  local -A q_found=()
  local q_order=()
  for q_line in "${q_lines[@]}"; do
    [[ $q_line =~ ^[[:space:]]*\ ([A-Za-z_][A-Za-z_0-9]*)\+?=(.) ]] || continue
    [[ ${q_known[${BASH_REMATCH[1]}]} ]] || continue
    q_key=0${BASH_REMATCH[1]}
    [[ ${BASH_REMATCH[2]} = '(' ]] && q_key=1${BASH_REMATCH[1]}
    [[ ${q_found[$q_key]} ]] || q_order+=("$q_key")
    q_found[$q_key]+="q_decls+=(${q_line@Q});"
  done
  local q_decls
  for q_key in "${q_order[@]}"; do
    q_decls=()
    eval "${q_found[$q_key]}"
    q_override "${q_key:1}" "${q_key:0:1}" "${q_decls[@]##*([[:space:]])}"
  done
}

q_facts() {
  local q_attr q_arch q_name q_names q_text=
  local -A q_known=()
  for q_attr in "${q_strings[@]}" "${q_arrays[@]}"; do
    q_known[$q_attr]=1
    for q_arch in "${arch[@]}"; do q_known[${q_attr}_$q_arch]=1; done
  done
  # All that can be such a name, by their first letters: what compgen prints it writes line by line.
  q_names=("${!a@}" "${!b@}" "${!c@}" "${!d@}" "${!e@}" "${!g@}" "${!i@}" "${!l@}" "${!m@}" "${!n@}" "${!o@}" "${!p@}"
    "${!r@}" "${!s@}" "${!u@}" "${!v@}")
  for q_name in "${q_names[@]}"; do [[ ${q_known[$q_name]} ]] && q_global "$q_name"; done
  q_global pkgname
  for q_attr in install changelog; do
    q_name=${!q_attr}
    [[ $q_name && ! -f $q_name ]] && q_missing "$q_attr" "$q_name"
  done
  for q_name in build package pkgver "${pkgname[@]/#/package_}"; do
    declare -F "$q_name" && q_text+="F $q_name"$'\n'
  done >/tmp/function
  for q_name in "${pkgname[@]}"; do q_function "$q_name"; done
  printf '%s.\n' "$q_text" >&99
}

# What pkgver() says of the sources in src/, run as makepkg runs it; git would not trust files of another user.
q_version() {
  local q_text=
  declare -F pkgver >/dev/null || { error 'It has no pkgver()'; exit $E_PKGBUILD_ERROR; }
  srcdir=$startdir/src pkgdir=$startdir/pkg
  export GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=safe.directory GIT_CONFIG_VALUE_0='*' GIT_OPTIONAL_LOCKS=0
  cd_safe "$srcdir"
  q_version=$(set -e; shopt -u extglob; pkgver)
  if (($?)); then error 'A failure occurred in pkgver()'; exit $E_PKGBUILD_ERROR; fi
  q_text=$'V s pkgver\n'
  q_values "$q_version"
  printf '%s.\n' "$q_text" >&99
}

# Facts go to a descriptor that PKGBUILDs do not use: some open 3, and bash itself has those from 10 and from 63 down.
q_one() {
  IFS= read -r -d '' q_limits </proc/self/limits
  printf '%s\n--\n' "$q_limits" >&99
  # The soft limit first, whose signal tells that it was the processor time; the hard one for who ignores it.
  ulimit -St "$q_cpu" && ulimit -Ht $((q_cpu + 1)) && ulimit -f "$q_file" || exit 71
  shopt -u dotglob nullglob
  cd "$1" || exit 71
  declare -r startdir=$PWD
  CARCH=x86_64 CHOST=x86_64-pc-linux-gnu CFLAGS= CXXFLAGS= CPPFLAGS= LDFLAGS= MAKEFLAGS= DEBUG_CFLAGS= DEBUG_CXXFLAGS=
  OPTIONS=(strip docs !libtool !staticlibs emptydirs zipman purge !debug !lto)
  BUILDENV=(!distcc color !ccache check !sign)
  PKGEXT=.pkg.tar.zst SRCEXT=.src.tar.gz PACKAGER='Unknown Packager' BUILDFILE=$startdir/PKGBUILD
  PKGDEST=$startdir SRCDEST=$startdir SRCPKGDEST=$startdir LOGDEST=$startdir BUILDDIR=$startdir
  unset LC_ALL
  export SOURCE_DATE_EPOCH=0 LANG=C.UTF-8
  source_safe "$BUILDFILE"
  if [[ $- = *[eu]* ]]; then
    error 'It leaves set -e or set -u in force, by which makepkg itself ends'
    exit $E_PKGBUILD_ERROR
  fi
  pkgbase=${pkgbase:-${pkgname[0]}}
  trap - DEBUG ERR EXIT RETURN
  set +fnvx -B
  shopt -s extglob
  shopt -u failglob nocasematch nullglob
  IFS=$' \t\n'
  q_$q_ask
}

q_frame() { printf '%d %d %d %d\n%s%s' "$1" "$2" ${#3} ${#4} "$3" "$4"; }

IFS= read -r -d '' q_limits </proc/self/limits
q_frame -1 0 "$q_limits"$'\n--\n' ''
mapfile -t -d '' q_dirs
exec </dev/null
q_index=0
for q_dir in "${q_dirs[@]}"; do
  : >/tmp/out && : >/tmp/err || exit 72
  (q_one "$q_dir") </dev/null >/dev/null 2>/tmp/err 99>/tmp/out
  q_status=$?
  # Whatever it left running ends before the next one begins.
  kill -KILL -1
  [[ -f /tmp/out && ! -L /tmp/out && -f /tmp/err && ! -L /tmp/err ]] || exit 72
  IFS= read -r -d '' q_out </tmp/out
  IFS= read -r -d '' q_err </tmp/err
  ((${#q_err} > 4000)) && q_err=${q_err: -4000}
  q_frame "$q_index" "$q_status" "$q_out" "$q_err"
  q_left=(/tmp/*)
  q_dirty=0
  for q_path in "${q_left[@]}"; do [[ $q_path = /tmp/@(out|err|function) ]] || q_dirty=1; done
  if ((q_dirty)); then
    rm -rf -- "${q_left[@]}"
    q_left=(/tmp/*)
    ((${#q_left[@]})) && exit 72
  fi
  ((++q_index))
done
exit 0
