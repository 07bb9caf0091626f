# The commands of daily work. `make demo` builds and serves the demo, `make test` runs the tests.

.DELETE_ON_ERROR:
# One cargo at a time, whatever -j says.
.NOTPARALLEL:
.PHONY: demo test test-sqlite test-postgres faults faults-sqlite faults-postgres web check schema
.DEFAULT_GOAL := demo

WEB_SOURCES := $(shell find web -type f -not -path 'web/node_modules/*' -not -path 'web/dist/*' -not -path 'web/font/*')

# Serves the demo with GraphiQL; without Node, `cargo run -- demo` serves the same without that page.
# Options of the command go into ARGS: make demo ARGS="--listen 127.0.0.1:9000"
demo:
	@scripts/prerequisites cargo cc node npm || { echo 'Without Node, `cargo run -- demo` serves the demo without GraphiQL.' >&2; exit 1; }
	@$(MAKE) --no-print-directory web
	cargo run -- demo $(ARGS)

# Everything on SQLite, then everything on PostgreSQL when there is one.
test: test-sqlite test-postgres

test-sqlite:
	@scripts/prerequisites cargo cc
	env -u CONCORD_TEST_DATABASE_URL cargo test --workspace --no-fail-fast

# What would do the same as on SQLite: the demo has a SQLite file of its own, and the generator is looked at once.
SAME := demo:: demo_city:: demo_stories:: tenant_wall::what_the_generator_does_not_reach

test-postgres:
	@echo 'SKIPPED on PostgreSQL, since they do the same there: unit tests, $(SAME)'
	scripts/with-postgres cargo test -p concord-tests --test it --no-fail-fast -- $(addprefix --skip ,$(SAME)); of_suite=$$?; \
	scripts/with-postgres cargo test -p concord-tests --test faults && exit $$of_suite

# Every fault at its full count, on SQLite and then on PostgreSQL; the clock's faults need Debian's faketime package, the
# full disk needs root. Names of faults go into ARGS: make faults ARGS=crash::
faults: faults-sqlite faults-postgres

faults-sqlite:
	@scripts/prerequisites cargo cc
	env -u CONCORD_TEST_DATABASE_URL CONCORD_FAULTS=full cargo test -p concord-tests --test faults -- $(ARGS)

faults-postgres:
	CONCORD_FAULTS=full scripts/with-postgres cargo test -p concord-tests --test faults -- $(ARGS)

# GraphiQL's page and the font of certificates, which the next build of the binary embeds.
web: web/dist/index.html

web/dist/index.html: $(WEB_SOURCES)
	@scripts/prerequisites node npm
	cd web && npm ci && npm run build
	@touch $@

check:
	@scripts/prerequisites cargo cc cargo-deny
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --no-deps --workspace
	cargo deny check licenses bans sources

# The committed SDL, printed anew from the code.
schema:
	@mkdir -p target
	cargo run -- schema > target/schema.graphql
	mv target/schema.graphql schema.graphql
