# `make` alone does what CI does. `make help` lists the targets.
SHELL      := bash
GO         ?= go
LOOM       := bin/loom
TOPOLOGY   ?= topologies/demo.yaml
TOPOLOGIES := $(wildcard topologies/*.yaml) $(patsubst %/,%,$(wildcard topologies/*/))
RELEASES   := 24.10 25.3
OUT        := out/conformance
comma      := ,
FOREIGN    := $(CURDIR)/out/bin
LOOM_GNMI_CLI ?= $(FOREIGN)/gnmi_cli
LOOM_GRPCURL  ?= $(FOREIGN)/grpcurl
VERSION    := $(shell git describe --always --dirty 2>/dev/null || echo dev)

# The same flags for all that compiles: a step need not do again what the one before has done.
export GOFLAGS := $(strip $(shell $(GO) env GOFLAGS) -trimpath)
# The race detector sleeps for a second before a process ends, unless it is told not to.
export GORACE := $(strip $(GORACE) atexit_sleep_ms=0)

.PHONY: all help build test race unraced kill foreign conformance render-all lint protos vet current generate golden slices fmt bench soak fuzz demo clean

all: build test slices kill foreign conformance current lint protos demo ## everything that CI checks

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

build: ## bin/loom
	$(GO) build -ldflags "-X main.version=$(VERSION)" -o $(LOOM) ./cmd/loom

test: ## all tests, each once: under the race detector where there is a C compiler; needs Go, git, curl and python3
	@if [ "$$($(GO) env CGO_ENABLED)" = 1 ] && command -v $$($(GO) env CC) >/dev/null; then \
	  $(MAKE) --no-print-directory race unraced; \
	else \
	  echo "test: no C compiler, so without the race detector"; $(GO) test -vet=off ./...; fi

race: ## all tests that the race detector does not make too slow, under it; needs a C compiler
	@# tests of the program wait for routers and timers more than they compute
	$(GO) test -race -vet=off -timeout 15m -parallel 4 ./...

unraced: ## the other tests, without it: those in files that begin with `//go:build !race`
	@set -e; files=$$(grep -rl --include='*_test.go' '^//go:build !race$$' cmd models pkg); \
	names=$$(sed -n 's/^func \(Test[^(]*\)(.*/\1/p' $$files | paste -sd'|'); set -x; \
	$(GO) test -vet=off -parallel 4 -run "^($$names)$$" $$(dirname $$files | sort -u | sed 's|^|./|')

kill: ## the program killed at every point between two effects, and its power cut; docs/testing.md
	$(GO) vet -tags crashpoints ./cmd/loom ./pkg/crash
	$(GO) test -count=1 -tags crashpoints ./pkg/crash
	@set -o pipefail; set -x; \
	$(GO) test -count=1 -tags crashpoints -timeout 10m -parallel 16 -v -run "^TestKill$$" ./cmd/loom | { grep -Ev '^(=== | +--- PASS)' || true; }

foreign: $(LOOM_GNMI_CLI) $(LOOM_GRPCURL) ## a simulated device, and a controller, as clients see them that nobody here wrote: gnmi_cli, grpcurl
	$(GO) vet -tags foreign ./pkg/sim ./cmd/loom
	LOOM_GNMI_CLI=$(LOOM_GNMI_CLI) LOOM_GRPCURL=$(LOOM_GRPCURL) $(GO) test -count=1 -tags foreign -run 'GNMICLI|GRPCurl' ./pkg/sim ./cmd/loom

$(FOREIGN)/gnmi_cli:
	GOBIN=$(FOREIGN) $(GO) install github.com/openconfig/gnmi/cmd/gnmi_cli@v0.14.1

$(FOREIGN)/grpcurl:
	GOBIN=$(FOREIGN) $(GO) install github.com/fullstorydev/grpcurl/cmd/grpcurl@v1.9.3

conformance: build ## every rendered document and every node of our profiles against the vendors' models
	@if [ -z "$(LOOM_CONFORMANCE)" ]; then \
	  echo "conformance: set LOOM_CONFORMANCE to the folder of the validators (all.sh), beside a folder yang/ with the published models."; \
	  echo "Nokia publishes SR Linux models at https://github.com/nokia/srlinux-yang-models, SR OS models at https://github.com/nokia/7x50_YangModels;"; \
	  echo "OpenConfig publishes its models at https://github.com/openconfig/public."; exit 1; fi
	@$(MAKE) --no-print-directory render-all
	@# the releases side by side: the validators keep what they compile by release
	printf '%s\n' $(RELEASES) | xargs -P 2 -I RELEASE sh -c '$(LOOM_CONFORMANCE)/all.sh $(OUT)/*-RELEASE/'
	@# of OpenConfig every kind of device, whatever the topologies have
	$(LOOM_CONFORMANCE)/openconfig.sh pkg/transponder/testdata/*.json
	$(GO) run ./models/conform -yang $(or $(LOOM_YANG),$(LOOM_CONFORMANCE)/../yang) -features $(LOOM_CONFORMANCE)/srlinux/features
	@# of SR OS the state models are compared where they are beside those of configuration, which validators do not need
	$(GO) run ./models/conform -yang $(or $(LOOM_YANG),$(LOOM_CONFORMANCE)/../yang) -os sros -profile models/sros/yang -releases 26.3 \
	  -modules 'nokia-conf.yang,nokia-types-*,ietf-*-types.yang$(if $(wildcard $(or $(LOOM_YANG),$(LOOM_CONFORMANCE)/../yang)/sros-26.3/nokia-state.yang),$(comma)nokia-state.yang)'
	$(GO) run ./models/conform -yang $(or $(LOOM_YANG),$(LOOM_CONFORMANCE)/../yang) -os openconfig -profile models/openconfig/yang -releases 2026 -modules 'openconfig-*'

render-all: build # every topology for every release
	@rm -rf $(OUT)
	@# coherent optics begin with 25.3: lines are not for the releases before
	@set -e; for t in $(TOPOLOGIES); do for r in $(RELEASES); do \
	  if [ $$r = 24.10 ] && [ -f $$t ] && grep -q '^lines:' $$t; then continue; fi; \
	  $(LOOM) render $$t -o $(OUT)/$$(basename $$t .yaml)-$$r --release srlinux=$$r; done; done
	@# a leaf and a spine that are drained, of an overlay inside an AS and of one between several
	@set -e; for t in demo ebgp-overlay; do for r in $(RELEASES); do \
	  $(LOOM) render topologies/$$t.yaml -o $(OUT)/$$t-drained-$$r --limit leaf1,spine1 --drained leaf1,spine1 --release srlinux=$$r; done; done

lint: vet ## gofmt, vet, staticcheck, formatted topologies
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { echo "gofmt would change:"; gofmt -l $$(git ls-files '*.go'); exit 1; }
	$(GO) tool staticcheck ./...
	$(MAKE) --no-print-directory build
	$(LOOM) fmt --check $(TOPOLOGIES)

protos: ## the protos of the API keep to the rules of buf (models/api/buf.yaml); needs npx
	npx --yes @bufbuild/buf@1.59.0 lint models/api

vet:
	$(GO) vet ./...

generate: ## everything generated: proto, schema tables, ygot structs, schema and reference of the topology file; needs protoc
	$(GO) generate ./...

current: ## generated files are what the generators make
	@git diff --quiet && test -z "$$(git status --porcelain)" || { echo "current: commit or stash first; the tree has to be clean:"; git status --short; exit 1; }
	$(MAKE) --no-print-directory generate
	@test -z "$$(git status --porcelain)" || { echo "generated files are not current; run make generate and commit:"; git status --short; git diff --stat; exit 1; }

fmt: build ## format Go and topologies
	gofmt -w $$(git ls-files '*.go')
	$(LOOM) fmt $(TOPOLOGIES)

bench: ## measures beside the floors of the same run; docs/benchmarks.md explains them
	$(GO) test -run '^$$' -bench . -benchmem -timeout 30m ./pkg/config ./pkg/optics ./pkg/fabric ./cmd/loom

golden: ## rewrites the golden files of every stage; read the diff before you commit it
	-$(GO) test ./pkg/topology ./pkg/fabric ./pkg/srlinux ./pkg/sros ./pkg/transponder ./pkg/plan ./pkg/config ./cmd/loom -update
	git diff --stat

slices: ## how large the seeded slices are that the normal tests run
	@set -eo pipefail; for p in topology config fabric; do \
	  $(GO) test -count=1 -v -run Spoilt ./pkg/$$p | grep -E 'cases each|mutants of' | sed "s|^ *|pkg/$$p: |"; done

soak: ## the long forms: 10,000 cases where CI runs a seeded slice
	LOOM_SOAK=1 $(GO) test -timeout 120m ./...

fuzz: ## each fuzz target for 30 s
	@set -e; for p in $$($(GO) list ./pkg/...); do for f in $$($(GO) test $$p -list '^Fuzz' | grep '^Fuzz' || true); do \
	  echo "$$p $$f"; $(GO) test $$p -run '^$$' -fuzz "^$$f$$" -fuzztime 30s; done; done

demo: build ## a guided tour on simulated routers; TOPOLOGY=FILE for another fabric
	$(LOOM) demo $(TOPOLOGY)

clean: ## remove what was built
	rm -rf bin out
