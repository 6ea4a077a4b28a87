# Everything is built with the Go toolchain, and the console's pages with npm; `make help` lists the targets.
SHELL := /bin/sh
export CGO_ENABLED ?= 0
STRIP := -trimpath -ldflags '-s -w'
OUT   ?= out
CONSOLE := relay/console
# What also runs on macOS and Windows: the technician's tools.
ANYWHERE := ./testbench/access ./testbench/check ./testbench/connect ./testbench/field ./testbench/neterr ./testbench/report ./testbench/tunnel ./testbench/cmd/...

.PHONY: all help setup console build arm demo test race fuzz check soak pi bench release clean

all: build ## same as build

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-8s %s\n", $$1, $$2}' Makefile

setup: ## install the independent peers (stunnel, ssh, curl, qemu, tshark, gammu, TigerVNC, mbpoll, xrdp ...) where possible
	@testbench/setup.sh

console: $(CONSOLE)/dist/index.html ## the pages that the relay embeds, where their sources have changed

$(CONSOLE)/node_modules/.package-lock.json: $(CONSOLE)/package-lock.json
	cd $(CONSOLE) && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

$(CONSOLE)/dist/index.html: $(CONSOLE)/node_modules/.package-lock.json $(CONSOLE)/build.mjs $(shell find $(CONSOLE)/src -type f)
	cd $(CONSOLE) && GOOS= GOARCH= node build.mjs

build: console ## all five programs into bin/
	go build -o bin/ ./...

arm: ## the agent for a Raspberry Pi, ARMv6 and 64 bits, into bin/arm/ and bin/arm64/
	GOOS=linux GOARCH=arm GOARM=6 go build $(STRIP) -o bin/arm/ ./agent/cmd/minato-agent
	GOOS=linux GOARCH=arm64 go build $(STRIP) -o bin/arm64/ ./agent/cmd/minato-agent

demo: setup build arm ## every scenario on this machine, a table, and OUT/report/index.html; needs no root after setup
	bin/minato-testbench run --out $(OUT)/report --format table,json,junit,html

# What waits most goes first, beside what waits too; at the end it would run alone.
test: setup build arm ## the test suite, with the race detector
	CGO_ENABLED=1 go test -race -timeout 14m ./testbench/unattended ./...

race: test ## same as test

FUZZTIME ?= 20s
fuzz: ## every fuzz target for FUZZTIME
	@set -e; for f in $$(grep -rl --include='*_test.go' '^func Fuzz' .); do \
	  for t in $$(sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\)(.*/\1/p' $$f); do \
	    echo "== $$(dirname $$f) $$t"; go test -run '^$$' -fuzz "^$$t\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10x ./$$(dirname $$f); \
	  done; done

check: ## gofmt, vet, staticcheck, go.mod tidy, the tree unchanged by them
	@test -z "$$(gofmt -l .)" || { echo "gofmt -w these:"; gofmt -l .; exit 1; }
	go vet ./...
	go vet -tags pi ./testbench/pi
	GOOS=darwin go vet $(ANYWHERE)
	GOOS=windows go vet $(ANYWHERE)
	go tool staticcheck ./...
	go tool staticcheck -tags pi ./testbench/pi
	go mod tidy -diff

SOAK ?= 20m
SOAK_SEED ?= 0
soak: ## the long runs: the relay killed 20 times, each in the middle of 1000 creates and deletes; the agent unattended, with faults at random for SOAK=20m
	RELAY_TEST_KILL_CALLS=1000 go test -count=1 -timeout 30m -run 'TestKill$$' -v ./relay
	go test -count=1 -v -timeout 3h -parallel 4 -run '^Test(Recovery|RandomFaults|Kills|Idle)$$' ./testbench/unattended -soak $(SOAK) -kills 100 -seed $(SOAK_SEED) -out $(abspath $(OUT))/soak

pi: ## by hand: the agent's package on a Debian for arm64 in qemu, with the emulator's modem at its UART, in some minutes; OUT/pi/transcript.txt
	@testbench/setup.sh mmdebstrap:mmdebstrap qemu-system-aarch64:qemu-system-arm newuidmap:uidmap debugfs:e2fsprogs
	go test -count=1 -v -timeout 15m -tags pi ./testbench/pi -out $(abspath $(OUT))/pi

bench: setup build ## speed: start to IP, TCP through PPP beside the raw PTY, codecs, the relay beside haproxy, nginx and stunnel
	go test -run '^$$' -bench . -benchmem ./agent/ppp/... ./agent/cmux ./agent/netstack ./emulator ./relay/splice
	go test -run '^$$' -bench . -benchtime 5x ./testbench/bench ./testbench/stock
	@mkdir -p $(OUT)
	bin/minato-testbench bench --json $(OUT)/bench.json --chart $(OUT)/bench.svg

release: console ## cross-compiled programs and Debian packages into dist/
	@set -e; for t in linux/amd64 linux/arm64 linux/arm; do \
	  d=dist/$$(echo $$t | tr / -); mkdir -p $$d; echo $$d; \
	  GOOS=$${t%/*} GOARCH=$${t#*/} GOARM=6 go build $(STRIP) -o $$d/ ./...; done
	@set -e; for t in darwin/arm64 windows/amd64; do \
	  d=dist/$$(echo $$t | tr / -); mkdir -p $$d; echo $$d; \
	  GOOS=$${t%/*} GOARCH=$${t#*/} go build $(STRIP) -o $$d/ ./testbench/cmd/minato-testbench; done
	@set -e; for a in amd64:amd64 arm64:arm64 arm:armhf; do for f in agent relay testbench; do \
	  testbench/deb.sh $$f $${a#*:} dist/linux-$${a%:*}/minato-$$f dist; done; done

clean: ## remove what was built
	rm -rf bin dist out $(CONSOLE)/dist
