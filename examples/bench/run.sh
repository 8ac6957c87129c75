#!/usr/bin/env bash
# Load-tests nginx, Varnish and cacheproxy with the same requests, each with a cache
# of 64 MiB before the same origin, and compares them:
#
#   examples/bench/run.sh [FOLDER]
#
# Needs Go, nginx and varnishd. Everything stays on this machine; what is started is
# stopped again. The reports go to FOLDER (default bench/results/example).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
here=examples/bench
out=${1:-bench/results/example}
work=$(mktemp -d)
peer=

stop() {
	if [ -n "$peer" ]; then
		kill "$peer" 2>/dev/null || true
		wait "$peer" 2>/dev/null || true
		peer=
	fi
}
trap 'stop; rm -rf "$work"' EXIT

# answers URL: waits until somebody listens there, at most ten seconds.
answers() {
	for _ in $(seq 100); do
		curl -s -o /dev/null "$1" && return
		kill -0 "$peer" 2>/dev/null || break
		sleep 0.1
	done
	echo "$0: nobody answers at $1" >&2
	exit 1
}

# measure NAME [ARGUMENTS]
measure() {
	local name=$1
	shift
	"$work/cacheproxy" bench "$@" --workload "${WORKLOAD:-web}" --duration "${DURATION:-30s}" --warmup 10s \
		--cache-size 64MiB --json "$out/$name.json" --html "$out/$name.html"
}

mkdir -p "$out"
go build -trimpath -o "$work/cacheproxy" ./cmd/cacheproxy

sed "s|DIR|$work|" $here/nginx.conf >"$work/nginx.conf"
# Workers that are not root could not read what root has made.
user=
if [ "$(id -u)" = 0 ]; then user="user root;"; fi
nginx -p "$work" -c "$work/nginx.conf" -g "$user" &
peer=$!
answers http://127.0.0.1:8001/
measure nginx http://127.0.0.1:8001 --origin-listen 127.0.0.1:9000 --pid "$peer"
stop

varnishd -F -n "$work/varnish" -a 127.0.0.1:8002 -f "$PWD/$here/default.vcl" -s malloc,64m -p nuke_limit=5000 2>"$work/varnish.log" &
peer=$!
answers http://127.0.0.1:8002/
measure varnish http://127.0.0.1:8002 --origin-listen 127.0.0.1:9000 --pid "$peer"
stop

measure cacheproxy
measure cacheproxy-gdsf --cache-engine gdsf

"$work/cacheproxy" bench compare "$out"/{nginx,varnish,cacheproxy,cacheproxy-gdsf}.json --html "$out/compare.html"
