#!/bin/sh
# Installs the SecureWave node agent on this VPN server, lets it join its control plane, and starts it.
# With --help it says how. The control plane fills in the four lines below when it serves this script.
# All is within one command at the end, so that a download that was cut runs nothing.
install_node() {
  set -eu
  umask 022
  control_plane=@CONTROL_PLANE@
  version=@VERSION@
  platform=@PLATFORM@
  sha256=@SHA256@

  say() { printf '%s\n' "$*"; }
  fail() {
    printf 'SecureWave was not installed: %s\n' "$1" >&2
    shift
    for line in "$@"; do printf '  %s\n' "$line" >&2; done
    exit 1
  }

  usage() {
    cat <<'HELP'
Installs the SecureWave node agent, lets it join its control plane, and starts it.

  curl -fsSL <control plane>/install/node.sh | sudo sh -s -- --token <token> --endpoint <host[:port]>

  --token <token>         from the console, for one use; not needed on a server that has joined
  --endpoint <host:port>  where customers reach this server (port 51820 unless given)
  --listen-port <port>    where this server listens, when that is another port
  --interface <name>      name of the WireGuard interface (sw0)
  --control-plane <url>   in place of the one that this script came from
  --allow-plaintext       allow http:// to another machine
  --replace               join anew, with the same WireGuard key and a fresh token
  --accept <ids>          serve although the machine does not meet these demands
  --no-upgrade            the agent stays at this version
  --no-service            set up no systemd service
  --prefix <dir>          in place of /opt/securewave-node
  --state-dir <dir>       in place of /var/lib/securewave-node; without a service only
  --runtime-dir <dir>     in place of /run/securewave-node; without a service only
  --uninstall             take everything away: tunnels, keys, service, program

To run it once more does no harm: what is there already stays, and another version of the agent takes over.
HELP
  }

  token='' endpoint='' listen_port='' interface='' allow_plaintext='' replace='' options=''
  prefix=/opt/securewave-node state_dir=/var/lib/securewave-node runtime_dir=/run/securewave-node
  with_service=yes uninstall=''
  while [ $# -gt 0 ]; do
    case $1 in
      --token | --endpoint | --listen-port | --interface | --control-plane | --accept | --prefix | --state-dir | --runtime-dir)
        [ $# -ge 2 ] || fail "$1 needs a value." "See: --help"
        case $1 in
          --token) token=$2 ;;
          --endpoint) endpoint=$2 ;;
          --listen-port) listen_port=$2 ;;
          --interface) interface=$2 ;;
          --control-plane) control_plane=$2 ;;
          --accept)
            case $2 in *[!a-z0-9_,-]*) fail "--accept takes ids, separated by commas." ;; esac
            options="$options --accept $2"
            ;;
          --prefix) prefix=$2 ;;
          --state-dir) state_dir=$2 ;;
          --runtime-dir) runtime_dir=$2 ;;
        esac
        shift
        ;;
      --allow-plaintext) allow_plaintext=yes ;;
      --replace) replace=yes ;;
      --no-upgrade) options="$options --no-upgrade" ;;
      --no-service) with_service='' ;;
      --uninstall) uninstall=yes ;;
      -h | --help)
        usage
        return 0
        ;;
      *) fail "$1 is no option of this script." "See: --help" ;;
    esac
    shift
  done
  case $prefix in
    *[!A-Za-z0-9/._-]* | *..*) fail "--prefix takes letters, digits and / . _ - only." ;;
    /?*) prefix=${prefix%/} ;;
    *) fail "--prefix must begin with / and name a folder." ;;
  esac
  program=$prefix/current/securewave-node
  unit=/etc/systemd/system/securewave-node.service
  defaults=/etc/default/securewave-node
  link=/usr/local/bin/securewave-node

  [ "$(uname -s)" = Linux ] || fail "VPN servers run Linux; this is $(uname -s)." "Run the command on the VPN server."
  [ "$(id -u)" = 0 ] || fail "it needs root." "Put sudo before sh, or become root first."
  if ! command -v systemctl >/dev/null 2>&1 || ! [ -d /run/systemd/system ]; then with_service=''; fi

  if [ -n "$with_service" ] && [ "$state_dir$runtime_dir" != /var/lib/securewave-node/run/securewave-node ]; then
    fail "the service has folders of its own." "Leave --state-dir and --runtime-dir out, or add --no-service."
  fi

  folders() { "$program" "$@" --state-dir "$state_dir" --runtime-dir "$runtime_dir"; }

  if [ -n "$uninstall" ]; then
    if [ -n "$with_service" ] && [ -f "$unit" ]; then systemctl disable --now securewave-node; fi
    if [ -f "$state_dir/node.json" ] && [ -x "$program" ]; then folders leave; fi
    if [ -n "$with_service" ] && [ -f "$unit" ]; then
      rm -f "$unit" "$defaults"
      systemctl daemon-reload
    fi
    if [ "$(readlink "$link" 2>/dev/null)" = "$program" ]; then rm -f "$link"; fi
    for folder in "$prefix"/*; do
      if [ -f "$folder/agent.mjs" ] && ! [ -L "$folder" ]; then rm -rf "$folder"; fi
    done
    rm -f "$prefix/current" "$prefix/trial" "$prefix/rejected"
    rmdir "$prefix" 2>/dev/null || :
    say "SecureWave is gone from this server. Remove the node in the console too."
    return 0
  fi

  [ -n "$sha256" ] || fail "$control_plane has no agent to give." \
    "On the machine of the control plane run: npm run build" "Then run this command again."
  case $(uname -m) in
    x86_64 | amd64) machine=linux-x64 ;;
    aarch64 | arm64) machine=linux-arm64 ;;
    *) machine=linux-$(uname -m) ;;
  esac
  [ "$machine" = "$platform" ] || fail "its control plane gives the agent for $platform, and this is $machine." \
    "Use a server of that kind, or set the agent up from the project's sources: docs/nodes.md"
  missing=''
  for needed in ip:iproute2 tc:iproute2 nft:nftables tar:tar gzip:gzip sha256sum:coreutils; do
    command -v "${needed%%:*}" >/dev/null 2>&1 || missing="$missing ${needed#*:}"
  done
  command -v wg >/dev/null 2>&1 || command -v wireguard-go >/dev/null 2>&1 || missing="$missing wireguard-tools"
  [ -z "$missing" ] || fail "programs are missing." "On Debian or Ubuntu: apt-get install$missing" \
    "Then run this command again."
  joined=''
  if [ -f "$state_dir/node.json" ] && [ -z "$replace" ]; then
    joined=yes
  elif [ -z "$token" ] || [ -z "$endpoint" ]; then
    fail "to join, --token and --endpoint are needed." "Copy the whole command from the console."
  elif [ "$endpoint" = YOUR_SERVER_NAME ]; then
    fail "--endpoint still says YOUR_SERVER_NAME." "Write the name or address at which customers reach this server."
  fi

  mkdir -p "$prefix"
  work=$prefix/.install.$$
  trap 'rm -rf "$work"' EXIT
  trap 'exit 1' HUP INT TERM
  mkdir "$work"
  if [ "$(cat "$prefix/$version/archive.sha256" 2>/dev/null)" = "$sha256" ]; then
    say "Version $version is there already."
  else
    say "Fetching the agent, version $version …"
    url=${control_plane%/}/install/agent.tar.gz
    if command -v curl >/dev/null 2>&1; then
      curl -fsSL -o "$work/agent.tar.gz" "$url" || fail "$url could not be fetched." "Run this command again."
    elif command -v wget >/dev/null 2>&1; then
      wget -q -O "$work/agent.tar.gz" "$url" || fail "$url could not be fetched." "Run this command again."
    else
      fail "neither curl nor wget is there." "On Debian or Ubuntu: apt-get install curl"
    fi
    found=$(sha256sum <"$work/agent.tar.gz")
    [ "${found%% *}" = "$sha256" ] || fail "what was fetched is not the agent that this script is for (SHA-256)." \
      "Run the whole command again; if it stays so, somebody on the way changes it."
    tar -xzf "$work/agent.tar.gz" -C "$work" || fail "the agent could not be unpacked." "Is the disk full? See: df -h"
    says=$("$work/securewave-node/securewave-node" --version 2>/dev/null) || says=''
    [ "$says" = "$version" ] || fail "the agent does not run here." \
      "It needs glibc 2.28 or newer, as of Debian 10, Ubuntu 20.04, RHEL 8; Alpine has none."
    say "$sha256" >"$work/securewave-node/archive.sha256"
    rm -rf "${prefix:?}/$version"
    mv "$work/securewave-node" "$prefix/$version"
  fi
  ln -s "$version" "$work/current"
  mv -fT "$work/current" "$prefix/current"
  rm -f "$prefix/trial" "$prefix/rejected"
  if [ "$prefix" = /opt/securewave-node ] && [ -d "${link%/*}" ]; then ln -sf "$program" "$link"; fi

  if [ -n "$joined" ]; then
    if [ -n "$token" ]; then say "This server has joined already. To join anew, add --replace."; fi
  else
    set -- --control-plane "$control_plane" --endpoint "$endpoint"
    if [ -n "$listen_port" ]; then set -- "$@" --listen-port "$listen_port"; fi
    if [ -n "$interface" ]; then set -- "$@" --interface "$interface"; fi
    if [ -n "$allow_plaintext" ]; then set -- "$@" --allow-plaintext; fi
    if [ -n "$replace" ]; then set -- "$@" --replace; fi
    export SECUREWAVE_JOIN_TOKEN="$token"
    folders join "$@" ||
      fail "it could not join; the agent is in $prefix." "Mend what is said above, then run this command again."
  fi

  if [ -z "$with_service" ]; then
    say "There is no systemd service. Let this run, now and after each start of the machine, and again when it ends:"
    say "  $program run --state-dir $state_dir --runtime-dir $runtime_dir$options"
    return 0
  fi
  sed "s|/opt/securewave-node|$prefix|g" "$prefix/current/securewave-node.service" >"$work/unit"
  mv -f "$work/unit" "$unit"
  if [ -n "$options" ]; then
    mkdir -p "${defaults%/*}"
    say "SECUREWAVE_NODE_OPTIONS=\"${options# }\"" >"$defaults"
  fi
  systemctl daemon-reload
  systemctl enable securewave-node
  systemctl restart securewave-node
  say "The node serves. How it does: $program status"
}

{ install_node "$@"; }
