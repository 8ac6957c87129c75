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
nginx=
varnish=

stop() {
	for pid in $nginx $varnish; do
		kill "$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
	done
	rm -rf "$work"
}
trap stop EXIT

# answers URL: waits until somebody listens there, at most ten seconds.
answers() {
	for _ in $(seq 100); do
		curl -s -o /dev/null "$1" && return
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

# nginx first, to be measured last: it keeps to max_size only from a minute after its
# start, when its loader has looked at the files. Workers that are not root could not
# read what root has made.
user=
if [ "$(id -u)" = 0 ]; then user="user root;"; fi
sed "s|DIR|$work|" $here/nginx.conf >"$work/nginx.conf"
nginx -p "$work" -c "$work/nginx.conf" -g "$user" &
nginx=$!
minute=$((SECONDS + 65))
answers http://127.0.0.1:8001/

varnishd -F -n "$work/varnish" -a 127.0.0.1:8002 -f "$PWD/$here/default.vcl" -s malloc,64m -p nuke_limit=5000 2>"$work/varnish.log" &
varnish=$!
answers http://127.0.0.1:8002/
measure varnish http://127.0.0.1:8002 --origin-listen 127.0.0.1:9000 --pid "$varnish"

measure cacheproxy
measure cacheproxy-gdsf --cache-engine gdsf

while [ "$SECONDS" -lt "$minute" ]; do sleep 1; done
measure nginx http://127.0.0.1:8001 --origin-listen 127.0.0.1:9000 --pid "$nginx"

"$work/cacheproxy" bench compare "$out"/{nginx,varnish,cacheproxy,cacheproxy-gdsf}.json --html "$out/compare.html"
