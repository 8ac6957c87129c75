#!/bin/sh
# Builds the proxy and runs the public HTTP cache tests against it. Arguments go to run.mjs (--update, --id ...).
# SUITE=DIR takes the suite from a checkout instead of the npm package.
set -eu

here=$(cd "$(dirname "$0")" && pwd)

if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
    if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
        echo "conformance: node and npm are missing: install Node.js 20 or newer, then run this again" >&2
        exit 2
    fi
    echo "conformance: installing nodejs and npm"
    apt-get update -q
    DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends nodejs npm
fi

# The copy of the lock file says what is installed; times of files say nothing after a git checkout.
installed=$here/node_modules/.installed-lock.json
if [ -z "${SUITE:-}" ] && ! cmp -s "$here/package-lock.json" "$installed"; then
    (cd "$here" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error)
    cp "$here/package-lock.json" "$installed"
fi

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 2' INT TERM HUP

node --test "$here/conformance.test.mjs" >"$tmp/test.log" 2>&1 || {
    cat "$tmp/test.log"
    echo "conformance: the tests of the runner itself fail" >&2
    echo "0 passed, 1 failed"
    exit 1
}
(cd "$here/../.." && go build -o "$tmp/cacheproxy" ./cmd/cacheproxy)
node --no-warnings "$here/run.mjs" --binary "$tmp/cacheproxy" ${SUITE:+--suite "$SUITE"} "$@"
if [ $# -eq 0 ]; then
    echo "conformance: again with every request through net/http"
    node --no-warnings "$here/run.mjs" --binary "$tmp/cacheproxy" ${SUITE:+--suite "$SUITE"} --no-lane
fi
