# What a target does lies in cli/ (the program model-api). `make run` and `make test` need Python 3.11+ and nothing else.
PYTHON ?= python3
UV := .tools/uv/bin/uv
BIN := .venv/bin
PROGRAM := $(BIN)/python -m cli.make

# A value is never read by make or by a shell: as a simple variable it reaches the program as it was typed.
given := $(foreach name,$(.VARIABLES),$(if $(filter command,$(origin $(name))),$(name)))
$(foreach name,$(given),$(eval override $(name) := $$(value $(name))))
export $(given)
.DEFAULT_GOAL := help
.PHONY: help run test check compile image push preflight golden smoke cost deploy access delete base bench \
  bench-scaling bench-batch bench-invoker packages real-packages parameters fuzz test-models soak jobs-states snapshots openapi docs-ui lint-template lock clean

help: ## list the commands
	@$(PYTHON) -m cli.help $(MAKEFILE_LIST)

##@ For who has a model
run: .venv/.locked ## the chain on this machine: MODEL=iris or a directory, PORT, RUNTIME_PORT, CONTAINER_PORT, API_KEY
compile: .venv/.locked ## turn a scikit-learn model into ONNX that is proved to answer the same: MODEL, OUTPUT=directory
image: .venv/.locked ## build the image with a model in it and try it: MODEL, IMAGE, EXTRAS="xgboost lightgbm compile", BASE
push: .venv/.locked ## push the image to ECR and print its URI by digest: IMAGE, REPOSITORY; AWS_PROFILE, AWS_REGION
preflight: .venv/.locked ## what would fail while the stack is made: MODEL, ENV, PARAMETERS, IMAGE, MODEL_DATA=model.tar.gz
golden: .venv/.locked ## write golden/golden.json from what an API answers: URL, KEY, TOKEN or SIGN=1, MODEL with samples.csv
smoke: .venv/.locked ## golden requests against a deployed API: URL, and KEY, TOKEN="Bearer ..." or SIGN=1
cost: .venv/.locked ## an estimate of what the parameters cost: MODEL, ENV, PARAMETERS
deploy: .venv/.locked ## build and deploy: MODEL, ENV, PARAMETERS; YES=1 asks nothing
access: .venv/.locked ## print a deployed API's URL, its key and a curl line: MODEL, ENV
delete: .venv/.locked ## delete the stack of MODEL and ENV; YES=1 asks nothing
run compile image push preflight golden smoke cost deploy access delete:
	@$(PROGRAM) $@

##@ For who works on the project
test: .venv/.locked ## all tests; those that need Docker are skipped, and said to be, where there is none
	$(BIN)/pytest --numprocesses auto --maxprocesses 4 --no-loadscope-reorder
check: .venv/.locked ## lint and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy invoker/invoker serving-container/predictor golden/golden authorizer/authorizer cli batch local deployment sam_template tests benchmarks
	PYTHONPATH=authorizer:golden:invoker:serving-container:. $(BIN)/lint-imports --no-logo
packages: .venv/.locked ## draw the container's packages and their imports: docs/packages.svg
	PYTHONPATH=serving-container:. $(BIN)/python -m tests.docs.packages
bench: .venv/.locked ## the container against its peers: ROUNDS, SECONDS, SERVERS, WORKS, GRID=1x32,100x32
bench-scaling: .venv/.locked ## the container alone: 1 to 10,000 rows, 1 to 256 clients, overload
bench-batch: .venv/.locked ## whole files through a model: ROWS=1000000, MODELS=credit-logistic,credit-boosting
bench-invoker: .venv/.locked ## the invoker alone: its start, its part of a request, its size (benchmarks/RESULTS-invoker.md)
base: .venv/.locked ## take the newest base image for the Dockerfile, by digest
real-packages: .venv/.locked ## models of Keras, CatBoost, statsmodels and others, each from an empty folder to an answer
bench bench-scaling bench-batch bench-invoker base real-packages:
	@$(BIN)/python -m cli.maintenance $@
fuzz: .venv/.locked ## 100,000 broken requests against the serving container's process
	FUZZ_SEED=$${FUZZ_SEED:-$$(date +%s)} FUZZ_REQUESTS=100000 $(BIN)/pytest tests/serving/test_fuzz.py
test-models: .venv/.locked ## every estimator of scikit-learn and the boosters, on tables of every kind, against its own predict
	MATRIX=1 $(BIN)/pytest -s tests/serving/models/test_matrix.py
soak: .venv/.locked ## the serving container for a minute under 64 clients, and a minute with workers killed and bad clients
	SOAK_SECONDS=$${SOAK_SECONDS:-60} $(BIN)/pytest -s tests/serving/test_soak.py
jobs-states: .venv/.locked ## an hour of orders of events that jobs may meet, and a thousand requests with one key
	JOBS_POSTS=1000 JOBS_STEPS=50 JOBS_EXAMPLES=2000 $(BIN)/pytest tests/invoker/jobs/test_machine.py tests/invoker/jobs/test_limits.py
snapshots: .venv/.locked ## write what CloudFormation makes of template.yaml in each mode: tests/template/snapshots
	@$(BIN)/python -m tests.template.modes
parameters: .venv/.locked ## write docs/parameters.md from template.yaml
	@$(BIN)/python -m tests.docs.parameters
openapi: .venv/.locked ## write API Gateway's own answers into template.yaml
	@PYTHONPATH=invoker $(BIN)/python -m invoker.gateway template.yaml
lint-template: .venv/.locked ## cfn-lint, checkov and sam validate on the template and on what SAM makes of it
	$(BIN)/pytest tests/template/test_lint.py
docs-ui lock: $(UV)
	@$(PYTHON) -m cli.maintenance $@
docs-ui: ## take another version of Swagger UI for GET /docs (npm; SWAGGER_UI=VERSION)
lock: ## resolve every requirements file again
clean: ## remove environments and everything built
	rm -rf .venv .tools .local .aws-sam

$(UV): requirements/uv.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed")'
	@echo "installing uv from $< ..." >&2
	@$(PYTHON) -m venv .tools/uv
	@.tools/uv/bin/pip install --quiet --require-hashes -r requirements/uv.txt
	@touch $@

# Said on stderr: what reads a target's stdout wants its answer alone. Only .venv is compiled at once: all of it is used.
define environment
	@echo "installing $(1) from $(2)$(3) ..." >&2
	@$(PYTHON) -m venv --without-pip $(1)
	@$(UV) pip sync --quiet --require-hashes $(if $(filter .venv,$(1)),--compile-bytecode) --python $(1)/bin/python $(2)
	@touch $(1)/.locked
endef
.venv/.locked: requirements/dev.txt | $(UV)
	$(call environment,.venv,requirements/dev.txt, (once; about 1 GB on disk))
	@.venv/bin/python -m cli.install
.tools/bench-container/.locked: $(addprefix serving-container/requirements,.txt -lightgbm.txt -xgboost.txt) | $(UV)
	$(call environment,.tools/bench-container,$^)
.tools/newman/.locked: requirements/newman/package-lock.json
	@echo "installing .tools/newman from $< ..." >&2
	@mkdir -p $(@D) && cp requirements/newman/package.json requirements/newman/package-lock.json $(@D)
	@npm ci --silent --ignore-scripts --no-audit --no-fund --prefix $(@D)
	@ln -sfn node_modules/.bin $(@D)/bin && touch $@
.tools/%/.locked: requirements/%.txt | $(UV)
	$(call environment,.tools/$*,requirements/$*.txt)
