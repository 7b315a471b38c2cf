# What a person or a machine does with this checkout. It takes Go, make, git and, for what comes from
# Debian, apt-get and root; everything else is built or installed by these targets.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# The folder that make demo builds.
EXAMPLE ?= examples/go
# How long make fuzz gives each fuzz test.
TIME ?= 1m
# The benchmark that make profile looks at.
BENCH ?= BenchmarkCompile
# Where make vulnerabilities has its database from; empty is vuln.go.dev.
VULNDB ?=
# What make show prints of FILE: graph, plan, json (the plan, too) or llb.
WHAT ?= plan
# A folder of Dockerfiles for the parity test, besides those of the repository.
STAGECRAFT_CORPUS ?= $(abspath $(wildcard ../shared/corpus))
export STAGECRAFT_CORPUS
# Tests and engines live for seconds: up to half of their time would go into collecting garbage.
GOGC ?= 400
export GOGC

# The flags with which the engines are compiled and, for the most part, the frontend's image, so that they
# share the packages they have in common. Without cgo, the tool which installs a C compiler needs none.
flags := -trimpath -tags=netgo,osusergo,static_build
export CGO_ENABLED := 0
export GOFLAGS := $(filter-out $(flags),$(GOFLAGS)) $(flags)

tool := go run ./integration/cmd/tools
# Tests of the review that judge real Dockerfiles, which lie outside of the checkout.
real := TestVerdicts|TestMendedLines|TestPlanted|TestSchemaOnRealFiles
# Patterns that match no package yet are left out.
unit = $(shell go list ./... | grep -v '/integration\(/\|$$\)')
integration = $(shell go list ./integration/... | grep -v '/integration/conformance\(/\|$$\)')
conformance = $(shell go list ./integration/conformance/...)

.PHONY: help
help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sort | while IFS= read -r line; do \
	  printf '  make %-13s %s\n' "$${line%%:*}" "$${line##*## }"; done

.PHONY: demo
demo: ## build the frontend image, then an application with it (EXAMPLE=examples/go), run it, draw its stages
	@go run ./integration/cmd/demo $(EXAMPLE)

# Side by side they wait less for each other than one after the other: what a section printed is shown
# when it ends. The first time, the engines are compiled beside the unit tests.
.PHONY: test
test: lint ## everything below but parity and fuzz, as CI runs it
	@echo "unit, integration and conformance run side by side, the last two once the engines are there, which the"
	@echo "first time takes ten minutes; each shows what it printed when it ends"
	@$(MAKE) --no-print-directory --jobs=3 --keep-going --output-sync=target integration conformance unit

.PHONY: deps
deps:
	@$(tool) -debian gcc libc6-dev

.PHONY: lint
lint: ## formatting, go vet, staticcheck, actionlint, and govulncheck where its database answers
	@unformatted=$$(git ls-files -co --exclude-standard -- '*.go' | while read -r f; do [ ! -f "$$f" ] || echo "$$f"; done | xargs -r gofmt -l); \
	if [ -n "$$unformatted" ]; then echo "run gofmt -w on:" $$unformatted >&2; exit 1; fi
	go vet ./...
	@staticcheck=$$($(tool) staticcheck); echo staticcheck ./...; "$$staticcheck" ./...
	@actionlint=$$($(tool) actionlint); echo actionlint; "$$actionlint" .github/workflows/*.yml
	@$(tool) -vulnerabilities '$(VULNDB)'

.PHONY: quick
quick: ## tests of the compiler and the frontend alone: no corpus, no race detector, no root; under a minute once compiled
	STAGECRAFT_CORPUS= go test -short -skip 'TestDeterminism|$(real)' $(unit)

.PHONY: golden
golden: ## rewrite what the tests of the compiler and the frontend compare with; read the diff
	STAGECRAFT_CORPUS= go test -short $$(grep -rl --include=*_test.go 'flag.Bool("update"' llb frontend | xargs -n1 dirname | sort -u | sed 's,^,./,') -update

.PHONY: profile
profile: ## CPU and memory profiles of a benchmark (BENCH=BenchmarkCompile), for go tool pprof
	go test ./llb -run '^$$' -bench '$(BENCH)' -benchtime 5s -cpuprofile cpu.prof -memprofile mem.prof -o llb.test
	@echo "look at them with: go tool pprof -http=localhost:8080 llb.test cpu.prof"

.PHONY: mutants
mutants: ## plant mistakes in the compiler, one at a time, and let the fuzzer find each (TIME=5m each)
	TIME=$(or $(filter-out 1m,$(TIME)),5m) llb/llbtest/mutants.sh

.PHONY: vulnerabilities
vulnerabilities: ## govulncheck of the frontend, with the database of VULNDB=file:///FOLDER or vuln.go.dev
	@$(tool) -vulnerabilities '$(VULNDB)'

.PHONY: unit
unit: deps ## tests of the compiler and the frontend, with the race detector
	STAGECRAFT_CORPUS= CGO_ENABLED=1 go test -timeout 30m -race -short -skip 'TestDeterminism|$(real)' -parallel 4 $(unit)
	@# Upstream's compiler has data races of its own, so it is compared with only here. Of the big corpus,
	@# each file has a part of the matrix; the whole is make parity's.
	STAGECRAFT_CORPUS= go test -timeout 30m -parallel 4 ./llb ./frontend/diagram
	@# What reads no corpus has just been run. The go command does not see that a corpus outside the module
	@# has changed, so results are not cached.
	go test -count=1 -timeout 30m -short -skip '^(Fuzz|TestFilesEnd|TestGolden|TestSeveralMistakes)' -parallel 4 ./llb ./frontend ./frontend/review
	@# All of what is generated and of the scenarios: it takes seconds.
	go test -count=1 -timeout 30m ./frontend/flatten

.PHONY: engines
engines: ## build the pinned engines that the other tests run against, once, into the cache
	@$(tool) buildkitd buildctl buildx registry buildkit-runc containerd dockerd docker >/dev/null
	@$(tool) -docker-20.10 >/dev/null

# The go command cannot see that these tests depend on the whole checkout, so their results are not
# cached. Their time limit is for a machine that has to make the base images first. Many of them wait for
# others more than they compute.
.PHONY: integration
integration: engines ## tests through the real client on a real BuildKit
	go test -count=1 -parallel 6 -timeout 60m $(integration)

.PHONY: examples
examples: engines ## of those, the examples alone: each built and run on BuildKit and on both Docker Engines
	go test -count=1 -parallel 4 -timeout 60m ./integration -run 'TestExamples|TestBakeExample|TestMonorepo'

.PHONY: conformance
conformance: engines ## upstream's own integration tests, run against our image
	go test -count=1 -timeout 60m -v $(conformance)

.PHONY: bench
bench: ## measure both compilers and write the tables of docs/performance.md; best on a machine with nothing else to do
	go test -count=1 -timeout 60m ./llb -run '^TestPerformance$$' -performance ../docs/performance.md
	@sed -n '/written by make bench/,/end of what/p' docs/performance.md

.PHONY: show
show: ## what the compiler makes of a Dockerfile (FILE=..., WHAT=graph, plan, json or llb, FLAGS="-target x"), without a daemon
	@go run ./llb/cmd/show $(FLAGS) $(WHAT) $(or $(FILE),$(error make show FILE=path/to/Dockerfile))

.PHONY: parity
parity: ## compare with upstream's compiler, file by file (STAGECRAFT_CORPUS=FOLDER)
	go test ./frontend ./llb/... -count=1 -timeout 60m -run 'TestParity|TestDeterminism' -v | grep -v 'no test files\|no tests to run'

.PHONY: fuzz
fuzz: ## every fuzz test in turn (TIME=1m each)
	@found=0; for package in $$(go list ./llb/... ./frontend/...); do \
	  for name in $$(go test -list '^Fuzz' "$$package" | grep '^Fuzz' || true); do \
	    found=1; echo "$$package $$name"; \
	    go test "$$package" -run '^$$' -fuzz "^$$name\$$" -fuzztime $(TIME); \
	  done; \
	done; [ $$found = 1 ] || { echo "there is no fuzz test" >&2; exit 1; }
