# Matou: two commands do everything on a fresh machine, `make run` and `make test`.

GO        ?= go
DATA      ?= matou-data
VERSION   ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS   := -s -w -X main.version=$(VERSION)
FUZZTIME  ?= 30s

.PHONY: help run test build console check vet staticcheck unit scenario screenshots conformance bench bench-quick bench-go fuzz clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

run: build ## build Matou and start it with its demo
	bin/matou serve --data $(DATA) --demo

test: ## everything: format, vet, staticcheck, unit tests with the race detector, scenarios on the real binary
	@test/prepare
	@$(MAKE) --no-print-directory check unit scenario

build: console ## build bin/matou
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o bin/matou ./cmd/matou

console: console/dist/index.html.gz ## build the web console, where npm is there

console/dist/index.html.gz: $(shell find console/src console/public -type f ! -name schema.d.ts) console/package-lock.json console/index.html console/vite.config.ts console/openapi.json
	@test/console-build

check: vet staticcheck ## gofmt, vet, staticcheck
	@bad=$$(gofmt -l $$(git ls-files '*.go')); if [ -n "$$bad" ]; then echo "gofmt -w these:"; echo "$$bad"; exit 1; fi

vet:
	$(GO) vet ./...

staticcheck:
	$(GO) tool staticcheck ./...

unit: ## unit tests with the race detector
	$(GO) test -race -timeout 10m $$($(GO) list ./... | grep -v /test)

scenario: build ## stories told by the real binary and clients that nobody here wrote
	MATOU_BIN=$(CURDIR)/bin/matou $(GO) test -timeout 25m ./test/...

screenshots: build ## the pictures of docs/screenshots, where pages have changed
	@test/prepare
	MATOU_BIN=$(CURDIR)/bin/matou MATOU_SCREENSHOTS=$(CURDIR)/docs/screenshots $(GO) test -count=1 -timeout 30m -v -run '^TestScreenshots$$' ./test

conformance: ## Eclipse's MQTT client suites against the engine; takes about six minutes
	@suite=$$(test/conformance/prepare); [ -z "$$suite" ] || $(GO) run ./test/conformance --suite "$$suite"

bench: ## Matou and its peers side by side, under 20 minutes; writes docs/bench
	$(GO) run ./bench --out docs/bench

bench-quick: ## the same in under 3 minutes, Matou and Mosquitto only; too short to judge by
	$(GO) run ./bench --quick

bench-go: ## the hot paths, measured in process; allocations count more than times
	$(GO) test -run '^$$' -bench . -benchmem ./thing/... ./mqtt/... ./aliyun ./onenet ./internal/...

fuzz: ## every fuzz test for FUZZTIME each
	@for p in $$($(GO) list ./...); do \
		for f in $$($(GO) test -list '^Fuzz' $$p | grep '^Fuzz' || true); do \
			echo "== $$p $$f"; $(GO) test -run '^$$' -fuzz "^$$f$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10x $$p || exit 1; \
		done; done

clean: ## remove what was built; data stays
	rm -rf bin dist console/dist/assets console/dist/*.gz
