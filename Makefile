# mlinfra: `make demo` shows it at work, `make test` tests everything. `make help` lists the rest.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

# In CI build output lives outside the clone, so that the next run finds it.
ifdef CI
export CARGO_TARGET_DIR ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/mlinfra-build/target
export CARGO_INCREMENTAL := 0
endif
TARGET := $(or $(CARGO_TARGET_DIR),target)
DEBUG := $(TARGET)/debug
RELEASE := $(TARGET)/release
CARGO ?= cargo

.PHONY: help
help: ## List the targets.
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | while IFS=$$'\t' read -r name text; do printf '  make %-18s %s\n' "$$name" "$$text"; done

.PHONY: demo
demo: release onnxruntime ## Train, register, serve and query a model on this machine: examples/quickstart.
	@scripts/demo.sh $(RELEASE)

.PHONY: demo-down
demo-down: release ## Take down what `make demo` left running.
	$(RELEASE)/mlinfra -chdir=examples/quickstart destroy -auto-approve

.PHONY: build
build: ## Build the programs, unoptimised.
	$(CARGO) build --workspace --locked

.PHONY: release
release: ## Build the programs, optimised.
	$(CARGO) build --workspace --bins --release --locked

.PHONY: onnxruntime
onnxruntime: ## Put ONNX Runtime's library where the inference runtime looks for it.
	@scripts/onnxruntime.sh >/dev/null

.PHONY: test
test: lint test-language test-engine test-runtimes test-examples ## Run all checks and tests.
	@echo "All tests passed."

.PHONY: lint
lint: ## Formatting, clippy and the documentation, warnings denied.
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --no-deps --document-private-items --locked --quiet

.PHONY: test-language
test-language: build ## Expressions, functions, types, blocks, layout.
	$(CARGO) test --locked -p mlinfra-sdk
	$(CARGO) test --locked -p mlinfra --lib --bins

.PHONY: test-engine
test-engine: build ## Plan, apply, state and the structure of the code, through the program.
	$(CARGO) test --locked -p mlinfra --test scenarios -- --skip examples::

.PHONY: test-runtimes
test-runtimes: build onnxruntime ## Registry, inference, runner, agent, and the providers that use them.
	$(CARGO) test --locked -p mlinfra-kit -p mlinfra-registry -p mlinfra-inference -p mlinfra-runner -p mlinfra-agent -p mlinfra-runtime
	$(CARGO) test --locked -p mlinfra-provider-local -p mlinfra-provider-ml

.PHONY: test-examples
test-examples: build onnxruntime ## The examples as a user runs them.
	$(CARGO) test --locked -p mlinfra --test scenarios -- examples::

.PHONY: bench-cli
bench-cli: release ## How long the program takes to start and to validate, beside Terraform where it is installed.
	@scripts/bench-cli.sh $(RELEASE)

.PHONY: clean
clean: ## Remove build output.
	$(CARGO) clean
