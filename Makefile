# Everything is built with the Go toolchain alone; `make help` lists the targets.
SHELL := /bin/sh
export CGO_ENABLED ?= 0
STRIP := -trimpath -ldflags '-s -w'
OUT   ?= out

.PHONY: all help setup build arm demo test race fuzz check bench release clean

all: build ## same as build

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-8s %s\n", $$1, $$2}' Makefile

setup: ## install the independent peers (stunnel, ssh, curl, qemu, tshark, gammu) where possible
	@testbench/setup.sh

build: ## all five programs into bin/
	go build -o bin/ ./...

arm: ## the agent for a Raspberry Pi (ARMv6, also runs on later ones) into bin/arm/
	GOOS=linux GOARCH=arm GOARM=6 go build $(STRIP) -o bin/arm/ ./agent/cmd/minato-agent

demo: setup build arm ## every scenario on this machine, a table, and OUT/report/index.html; needs no root after setup
	bin/minato-testbench run --out $(OUT)/report --format table,json,junit,html

test: setup build arm ## the test suite, with the race detector
	CGO_ENABLED=1 go test -race -timeout 14m ./...

race: test ## same as test

FUZZTIME ?= 20s
fuzz: ## every fuzz target for FUZZTIME
	@set -e; for f in $$(grep -rl --include='*_test.go' '^func Fuzz' .); do \
	  for t in $$(sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\)(.*/\1/p' $$f); do \
	    echo "== $$(dirname $$f) $$t"; go test -run '^$$' -fuzz "^$$t\$$" -fuzztime $(FUZZTIME) ./$$(dirname $$f); \
	  done; done

check: ## gofmt, vet, staticcheck, go.mod tidy, the tree unchanged by them
	@test -z "$$(gofmt -l .)" || { echo "gofmt -w these:"; gofmt -l .; exit 1; }
	go vet ./...
	GOOS=darwin go vet ./testbench/tunnel ./testbench/check ./testbench/report ./testbench/cmd/...
	GOOS=windows go vet ./testbench/tunnel ./testbench/check ./testbench/report ./testbench/cmd/...
	go tool staticcheck ./...
	go mod tidy -diff

bench: setup ## speed: start to IP, TCP through PPP beside the raw PTY, codecs, relay
	go test -run '^$$' -bench . -benchmem ./agent/ppp/... ./agent/cmux ./agent/netstack ./emulator ./relay/splice
	go test -run '^$$' -bench . -benchtime 5x ./testbench/bench ./testbench/stock

release: ## cross-compiled programs into dist/
	@set -e; for t in linux/amd64 linux/arm64 linux/arm; do \
	  d=dist/$$(echo $$t | tr / -); mkdir -p $$d; echo $$d; \
	  GOOS=$${t%/*} GOARCH=$${t#*/} GOARM=6 go build $(STRIP) -o $$d/ ./...; done
	@set -e; for t in darwin/arm64 windows/amd64; do \
	  d=dist/$$(echo $$t | tr / -); mkdir -p $$d; echo $$d; \
	  GOOS=$${t%/*} GOARCH=$${t#*/} go build $(STRIP) -o $$d/ ./testbench/cmd/minato-testbench; done

clean: ## remove what was built
	rm -rf bin dist out
