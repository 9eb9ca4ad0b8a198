# SPDX-License-Identifier: Apache-2.0
# A thin front: Meson and Ninja build, the scripts in tools/ do the rest. CONTRIBUTING.md explains.
BUILD ?= build
FOR ?=
RATE ?=
export FOR RATE

.PHONY: all build release run check bench drills fuzz deps format tidy docs clean

all: build

build:
	@tools/deps build
	@tools/build $(BUILD) -- evenkeel

release:
	@tools/deps build release
	@tools/release

run:
	@tools/deps build run
	@tools/build $(BUILD) -- evenkeel
	@tools/run

check:
	@tools/deps build release run check
	@tools/check

bench:
	@tools/deps build release bench
	@tools/build $(BUILD)
	@tools/release
	@bench/bench

drills:
	@tools/deps build release run bench
	@tools/build $(BUILD)
	@tools/release
	@bench/drills/all

fuzz:
	@tools/deps build check
	@tools/fuzz --seconds $(or $(SECONDS),600)

deps:
	@tools/deps build release run check bench

docs: build
	@$(BUILD)/evenkeel schema --markdown > docs/configuration.md

format:
	@git ls-files '*.c' '*.h' | xargs clang-format -i

tidy:
	@tools/deps build check
	@tools/tidy

clean:
	rm -rf build
