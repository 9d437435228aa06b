export CGO_ENABLED = 0
GO ?= go
STATICCHECK = $(GO) run honnef.co/go/tools/cmd/staticcheck@v0.7.0
SCRIPTS = lab/up lab/down lab/images lab/engine lab/env.sh bench/run bench/jinja/run examples/demo .ci/run

bin/gplay: FORCE
	$(GO) build -trimpath -ldflags '-s -w' -o $@ ./cmd/gplay

# For hosts of another system: bin/gplay-linux-arm64.
bin/gplay-%: FORCE
	GOOS=$(word 1,$(subst -, ,$*)) GOARCH=$(word 2,$(subst -, ,$*)) $(GO) build -trimpath -ldflags '-s -w' -o $@ ./cmd/gplay

# Several packages' tests need the lab's images, so these come first.
test: bin/gplay
	! docker version >/dev/null 2>&1 || lab/images
	$(GO) test -timeout 40m ./...

lint:
	@unformatted=$$(gofmt -l $$(git ls-files --cached --others --exclude-standard '*.go')); [ -z "$$unformatted" ] || { echo "gofmt these:"; echo "$$unformatted"; exit 1; }
	$(GO) vet ./...
	cd lab/fixtures && $(GO) vet ./... && $(STATICCHECK) ./...
	cd lab/fixtures/mongo && $(GO) vet ./...
	$(STATICCHECK) ./...
	shellcheck -x -P SCRIPTDIR $(SCRIPTS)

demo: bin/gplay
	examples/demo

bench: bin/gplay
	bench/jinja/run
	bench/run

clean:
	rm -rf bin

FORCE:

.PHONY: FORCE test lint demo bench clean
