# What ./run and ./test need of the machine: says it, installs it where it can, and else fails with one sentence.

step() { printf '· %s\n' "$*" >&2; }

fail() {
  printf 'sankore: %s.\n' "$*" >&2
  exit 1
}

need_dotnet() {
  command -v dotnet >/dev/null || fail "the .NET 10 SDK is not installed: get it from https://dotnet.microsoft.com/download"
  dotnet --list-sdks | grep -q '^10\.' || fail "this needs the .NET 10 SDK, and $(dotnet --version 2>/dev/null || echo none) is what is here"
  export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
}

has_postgres() {
  compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || command -v initdb >/dev/null
}

need_postgres() {
  has_postgres && return
  local hint="PostgreSQL is not installed: install version 15 or later, or point SANKORE_DATABASE at a server (Host=…;Username=…;Password=…)"
  [[ $(uname -s) == Linux ]] && command -v apt-get >/dev/null || fail "$hint"
  # Only the programs are wanted: without this the package makes and starts a cluster of its own.
  if [[ ! -e /etc/postgresql-common/createcluster.conf ]]; then
    as_root mkdir -p /etc/postgresql-common && echo 'create_main_cluster = false' | as_root tee /etc/postgresql-common/createcluster.conf >/dev/null || fail "$hint"
  fi
  install_package postgresql || fail "$hint"
  has_postgres || fail "$hint"
}

find_chromium() {
  local name
  for name in chromium-headless-shell chromium chromium-browser google-chrome google-chrome-stable; do
    command -v "$name" && return
  done
  return 1
}

need_chromium() {
  command -v chromium-headless-shell >/dev/null && return
  # The one without a window takes half the processor time: root has it installed beside another, anybody else keeps the one they have. Not
  # every system has it as a package.
  find_chromium >/dev/null && [[ $EUID != 0 ]] && return
  local hint="Chromium is not installed, and the browser tests need it: install the package chromium" package=chromium
  if command -v apt-get >/dev/null; then
    apt-cache show chromium-headless-shell >/dev/null 2>&1 && package=chromium-headless-shell
    install_package "$package" fonts-dejavu-core fonts-noto-color-emoji && return
  fi
  find_chromium >/dev/null || fail "$hint"
}

need_nginx() {
  [[ -x /usr/sbin/nginx ]] || command -v nginx >/dev/null && return
  local hint="nginx is not installed, and the tests of several nodes need it: install the package nginx"
  command -v apt-get >/dev/null || fail "$hint"
  install_package nginx-light || fail "$hint"
}

has_mail_tools() {
  [[ -x /usr/sbin/smtp-sink ]] && { /usr/bin/python3 -c 'import dkim' || python3 -c 'import dkim'; } 2>/dev/null
}

# Somebody else's programs judge what we send: Postfix's smtp-sink, Python's email and dkim packages.
need_mail_tools() {
  has_mail_tools && return
  if ! command -v apt-get >/dev/null; then
    step "smtp-sink (postfix) or python3 with dkim is not installed: the tests that ask them are skipped"
    return
  fi
  local hint="the tests of mail need the packages postfix (for smtp-sink, no mail server is started) and python3-dkim"
  # Without a configuration the package starts nothing.
  if [[ ! -x /usr/sbin/smtp-sink ]]; then
    echo 'postfix postfix/main_mailer_type select No configuration' | as_root debconf-set-selections || fail "$hint"
  fi
  install_package postfix python3 python3-dkim || fail "$hint"
  has_mail_tools || fail "$hint"
}

# What an office's own spreadsheet writes is read back; where there is none, those tests are skipped.
need_office() {
  command -v soffice >/dev/null && return
  if ! command -v apt-get >/dev/null; then
    step "LibreOffice is not installed: the tests that ask it are skipped"
    return
  fi
  install_package libreoffice-calc || fail "the tests of spreadsheets need the package libreoffice-calc"
}

as_root() {
  if [[ $(id -u) == 0 ]]; then "$@"; else sudo -n "$@"; fi
}

install_package() {
  step "installing $*"
  local log
  log=$(mktemp)
  { as_root apt-get update && as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@"; } >"$log" 2>&1 \
    || { tail -n 3 "$log" >&2; rm -f "$log"; return 1; }
  rm -f "$log"
}
