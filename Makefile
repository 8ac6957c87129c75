# `make test` is what CI runs; `make check` is what to run before a commit.

SHELL       := /bin/bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS   += --no-print-directory

IMAGE    ?= cacheproxy
# A number of runs, since a time makes go test report its own end as a failure now and then.
FUZZTIME ?= 30000x
BENCH    ?= Judge|Parse|Hit|Get|Observe|RoundTrip

# These drive a built binary, so the race detector and benchmarks have nothing to see there.
DRIVERS  = ./internal/browser ./internal/e2e ./internal/siege ./internal/soak
PACKAGES = $$(go list ./... | grep -vE '/internal/(browser|e2e|siege|soak)$$')
FUZZ     = grep -roE --include='*_test.go' --exclude-dir=node_modules '^func Fuzz[A-Za-z0-9_]+' .

.DEFAULT_GOAL := help
.PHONY: help build test unit race e2e conformance check lint vuln soak fuzz bench compare hitratio image clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## build bin/cacheproxy
	go build -trimpath -o bin/cacheproxy ./cmd/cacheproxy

test: ## everything: package tests, race detector, real nginx, conformance; installs what it needs
	@$(MAKE) unit
	@$(MAKE) race LESS=/bench/ # make check has those too
	@$(MAKE) e2e
	@$(MAKE) conformance
	@echo "make test: all passed: unit tests, race detector, end to end before nginx, HTTP cache conformance"

unit: ## tests of all packages
	packages=$(PACKAGES); go test -timeout 5m $$packages
	go -C bench/hitratio test ./...

race: ## the same under the race detector
	@command -v gcc >/dev/null || { echo "make race: the race detector needs gcc; installing it"; \
		apt-get update -q && apt-get install -y -q --no-install-recommends gcc libc6-dev; }
	packages=$$(printf '%s\n' $(PACKAGES) | grep -v '$(or $(LESS),^$$)'); CGO_ENABLED=1 go test -race -timeout 8m $$packages

# -count=1: the test cache does not know that these tests build and run cmd/cacheproxy. -p 1: one of them measures memory.
e2e: ## the built binary before a real nginx, on a page in Chromium (both installed when missing), under siege, and under load for a while
	go test -count=1 -p 1 -timeout 10m $(DRIVERS)

conformance: ## the public HTTP cache test suite (SUITE=DIR for a checkout of your own)
	bash internal/conformance/run.sh

check: ## all that must hold before a commit: lint, race, fuzz, vuln
	@$(MAKE) lint
	@$(MAKE) race
	@$(MAKE) fuzz
	@echo "make check: all passed: gofmt, go mod tidy, go vet, staticcheck, tests under the race detector, fuzz"
	@$(MAKE) vuln OFFLINE=1

lint: ## gofmt, go mod tidy, go vet, staticcheck
	@unformatted=$$(gofmt -l .); test -z "$$unformatted" || { echo "run gofmt -w on:" $$unformatted; exit 1; }
	go mod tidy -diff
	go -C tools mod tidy -diff
	go -C bench/hitratio mod tidy -diff
	go -C internal/h2spec/tool mod tidy -diff
	go vet ./...
	go -C bench/hitratio vet ./...
	go tool -modfile=tools/go.mod staticcheck ./...
	cd bench/hitratio && go tool -modfile=../../tools/go.mod staticcheck ./...

# OFFLINE=1 lets it pass, with a word, where the database cannot be reached.
vuln: ## known vulnerabilities in the code that the program calls (asks vuln.go.dev)
	@if out=$$(go tool -modfile=tools/go.mod govulncheck ./... 2>&1); then echo "$$out"; \
	elif grep -q 'fetching vulnerabilities' <<<"$$out" && test -n "$(OFFLINE)"; then \
		echo "make vuln: NOT CHECKED: the database of vulnerabilities cannot be reached from here"; \
	else echo "$$out"; exit 1; fi

soak: ## ten minutes of everything at once: load, faults, reloads, restarts of the origin (SOAK_TIME=10m)
	SOAK_TIME=$${SOAK_TIME:-10m} SOAK_OUT=$(CURDIR)/bench/results/soak go test -count=1 -timeout 30m -run 'TestSoak$$' -v ./internal/soak

fuzz: ## every fuzz target for FUZZTIME each
	@targets=$$($(FUZZ)) || { echo "make fuzz: found no fuzz target"; exit 1; }; \
	sed 's|/[^/]*_test.go:func | |' <<<"$$targets" | sort | while read -r dir target; do \
		echo "go test $$dir -fuzz $$target"; \
		go test "$$dir" -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) </dev/null; \
	done

# A new record is made on purpose: cp bin/bench.txt bench/results/go.txt
bench: ## Go benchmarks of the hit path and of fetches, beside the last that were recorded
	@mkdir -p bin
	go test -run '^$$' -bench '$(BENCH)' -benchmem -benchtime 0.2s -count 6 ./cache ./policy ./server/... ./origin ./admin ./insight | tee bin/bench.txt
	go tool -modfile=tools/go.mod benchstat recorded=bench/results/go.txt now=bin/bench.txt

compare: ## CPU per request beside nginx, HAProxy and Varnish (a quarter of an hour; needs wrk, h2load and two idle CPUs)
	go run ./bench/compare --out bench/results/compare.json
	go run ./bench/compare plot bench/results/compare.json --out bench/results/compare.svg

hitratio: ## hit ratios of both engines and their rivals on the traces of TRACES=DIR
	@test -n "$(TRACES)" || { echo "make hitratio: say where the traces are, with TRACES=DIR"; exit 2; }
	go -C bench/hitratio run . --traces "$(abspath $(TRACES))" --out ../results/hitratio.json --markdown ../results/hitratio.md

image: ## container image cacheproxy:latest
	@command -v docker >/dev/null || { echo "make image: needs docker"; exit 1; }
	docker build -t $(IMAGE) .

clean: ## remove what the targets above made
	rm -rf bin
