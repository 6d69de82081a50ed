# crossfade: `make` lists what there is.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# What links, what runs a server, and what the tests and recordings need beside it.
BUILD_PACKAGES := libpq-dev liblz4-dev zlib1g-dev pkg-config
DEMO_PACKAGES := $(BUILD_PACKAGES) postgresql
TEST_PACKAGES := $(DEMO_PACKAGES) lz4 xxd

# One binary that needs libpq, liblz4, zlib and libstdc++ only: Swift's own libraries are in it.
RELEASE := -c release --static-swift-stdlib

.PHONY: help demo test test-matrix test-emitters build release bench fuzz lint format fixtures clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' Makefile | column -t -s '|'

demo: ## a migration of a million rows under traffic, killed in the middle and proven (DEMO="--keep ...")
	@scripts/packages.sh $(DEMO_PACKAGES)
	swift build $(RELEASE) --product crossfade
	@.build/release/crossfade demo $(DEMO)

test: ## all tests, against real servers (ONLY=name runs those that match)
	@scripts/packages.sh $(TEST_PACKAGES)
	@scripts/test.sh $(ONLY)

test-matrix: ## what uses servers, on every PostgreSQL major that can be had (MAJORS="13 18", ONLY=name)
	@scripts/packages.sh $(TEST_PACKAGES)
	@ONLY="$(ONLY)" scripts/matrix.sh $(MAJORS)

test-emitters: ## what `plan --emit` writes, run by the tools themselves, as far as they can be had
	@scripts/packages.sh $(TEST_PACKAGES)
	@scripts/emitters.sh
	@scripts/test.sh EmittedFiles

build: ## a debug build
	@scripts/packages.sh $(BUILD_PACKAGES)
	swift build

release: ## the program: .build/release/crossfade
	@scripts/packages.sh $(BUILD_PACKAGES)
	swift build $(RELEASE) --product crossfade

bench: ## how fast, how small, against pg_recvlogical and CREATE SUBSCRIPTION (ONLY=name runs one)
	@scripts/packages.sh $(DEMO_PACKAGES)
	swift build $(RELEASE) --product crossfade
	swift build $(RELEASE) --product crossfade-bench
	@.build/release/crossfade-bench $(ONLY)

fuzz: ## random bytes against every decoder (TIME=600 seconds a target, ONLY=target, KEEP=1 keeps what it found)
	@scripts/packages.sh $(BUILD_PACKAGES)
	@TIME="$(TIME)" KEEP="$(KEEP)" scripts/fuzz.sh $(ONLY)

lint: ## style, as swift-format judges it
	@swift format lint --strict --recursive --parallel $(wildcard Package.swift Sources Tests Benchmarks Fuzz)

format: ## style, mended
	@swift format --in-place --recursive --parallel $(wildcard Package.swift Sources Tests Benchmarks Fuzz)

fixtures: ## records fixtures/recordings anew from a real server, and judges what they decode to
	@scripts/packages.sh $(TEST_PACKAGES)
	swift build $(RELEASE) --product crossfade
	@CROSSFADE="$(CURDIR)/.build/release/crossfade" fixtures/record.sh

clean: ## removes what builds made
	rm -rf .build
