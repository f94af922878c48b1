# Every command of the project. `make run` and `make test` need Python 3.11+ and nothing else.
PYTHON ?= python3
UV := .tools/uv/bin/uv
BIN := .venv/bin
MODEL ?= iris
PORT ?= 3000
RUNTIME_PORT ?= 8081
CONTAINER_PORT ?= 8080
KNOWN_SERVERS := baseline,fastapi,mlserver,litserve,bentoml,mlflow,product,compiled,ceiling
SERVERS ?= $(KNOWN_SERVERS)
ROUNDS ?= 5
SECONDS ?= 6
DOCKER ?= docker
DOCKER_BUILD_FLAGS ?=
IMAGE ?= serving-container
REPOSITORY ?= serving-container

# boto3 and SAM CLI read AWS_DEFAULT_REGION, most else reads AWS_REGION: here both are one.
ifneq ($(AWS_REGION),)
export AWS_DEFAULT_REGION := $(AWS_REGION)
endif

.DEFAULT_GOAL := help
.PHONY: help run test check packages bench bench-scaling lock clean openapi docs-ui lint-template bench-invoker

help: ## list the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

run: .venv/.locked ## the chain on this machine: MODEL=iris or a directory, PORT, RUNTIME_PORT, CONTAINER_PORT, API_KEY
	@$(BIN)/python -m local --model "$(MODEL)" --port $(PORT) --runtime-port $(RUNTIME_PORT) --container-port $(CONTAINER_PORT) $(if $(API_KEY)$(KEY),--api-key "$(or $(API_KEY),$(KEY))")

test: .venv/.locked ## all tests; those that need Docker are skipped, and said to be, where there is none
	$(BIN)/pytest --numprocesses auto --maxprocesses 4 --no-loadscope-reorder

check: .venv/.locked ## lint and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy invoker/invoker serving-container/predictor golden/golden authorizer/authorizer local deployment sam_template tests benchmarks
	PYTHONPATH=authorizer:golden:invoker:serving-container:. $(BIN)/lint-imports --no-logo

packages: .venv/.locked ## draw the container's packages and their imports: docs/packages.svg
	PYTHONPATH=serving-container:. $(BIN)/python -m tests.docs.packages

# The product, compiled or not, runs on the packages of the image, and on nothing else.
comma := ,
BENCH_NAMES = $(patsubst compiled,product,$(subst $(comma), ,$(SERVERS)))
ifneq ($(filter-out $(subst $(comma), ,$(KNOWN_SERVERS)),$(subst $(comma), ,$(SERVERS))),)
$(error SERVERS=$(SERVERS): expected some of $(KNOWN_SERVERS), with commas)
endif
bench: .venv/.locked $(sort $(BENCH_NAMES:%=.tools/bench-%/.locked)) ## the container against its peers: ROUNDS, SECONDS a run, SERVERS=baseline,product
	@$(BIN)/python -m benchmarks --rounds $(ROUNDS) --seconds $(SECONDS) --servers $(SERVERS)

bench-scaling: .venv/.locked .tools/bench-product/.locked ## the container alone: 1 to 10,000 rows, 1 to 256 clients, overload
	@$(BIN)/python -m benchmarks.scaling --seconds $(SECONDS)

bench-invoker: .venv/.locked ## the invoker alone: its start, its part of a request, its size (benchmarks/RESULTS-invoker.md)
	@$(BIN)/python -m benchmarks.invoker

openapi: .venv/.locked ## write the OpenAPI document, and API Gateway's own answers in template.yaml
	@PYTHONPATH=invoker $(BIN)/python -m invoker.openapi
	@PYTHONPATH=invoker $(BIN)/python -m invoker.gateway template.yaml

lint-template: .venv/.locked ## cfn-lint, checkov and sam validate on the template and on what SAM makes of it
	$(BIN)/pytest tests/template/test_lint.py

SWAGGER_UI := 5.35.0
DOCS := invoker/invoker/static/docs
DOCS_FILES := swagger-ui.css swagger-ui-bundle.js LICENSE NOTICE swagger-ui-bundle.js.LICENSE.txt
docs-ui: ## take another version of Swagger UI for GET /docs (npm; SWAGGER_UI=VERSION)
	rm -f $(DOCS)/swagger-ui-dist-*.sha256
	npm pack --silent --pack-destination $(DOCS) swagger-ui-dist@$(SWAGGER_UI)
	tar -xzf $(DOCS)/swagger-ui-dist-$(SWAGGER_UI).tgz -C $(DOCS) --strip-components=1 $(DOCS_FILES:%=package/%)
	rm $(DOCS)/swagger-ui-dist-$(SWAGGER_UI).tgz
	cd $(DOCS) && sha256sum $(DOCS_FILES) > swagger-ui-dist-$(SWAGGER_UI).sha256

# An environment is made again when its lock file changes.
$(UV): requirements/uv.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed")'
	@echo "installing uv from $< ..." >&2
	@$(PYTHON) -m venv .tools/uv
	@.tools/uv/bin/pip install --quiet --require-hashes -r requirements/uv.txt
	@touch $@

# Said on stderr: what reads a target's stdout wants its answer alone.
define environment
	@echo "installing $(1) from $(2)$(3) ..." >&2
	@$(PYTHON) -m venv --without-pip $(1)
	@$(UV) pip sync --quiet --require-hashes --compile-bytecode --python $(1)/bin/python $(2)
	@touch $(1)/.locked
endef

.venv/.locked: requirements/dev.txt | $(UV)
	$(call environment,.venv,requirements/dev.txt, (once; about 1 GB on disk))

.tools/bench-product/.locked: serving-container/requirements.txt | $(UV)
	$(call environment,.tools/bench-product,serving-container/requirements.txt)

# A JavaScript program, for one test: it runs the Postman collection.
.tools/newman/.locked: requirements/newman/package-lock.json
	@echo "installing .tools/newman from $< ..." >&2
	@mkdir -p $(@D) && cp requirements/newman/package.json requirements/newman/package-lock.json $(@D)
	@npm ci --silent --ignore-scripts --no-audit --no-fund --prefix $(@D)
	@ln -sfn node_modules/.bin $(@D)/bin
	@touch $@

.tools/%/.locked: requirements/%.txt | $(UV)
	$(call environment,.tools/$*,requirements/$*.txt)

COMPILE := $(UV) pip compile --quiet --universal --fork-strategy fewest --generate-hashes --no-header --python-version 3.11
lock: $(UV) ## resolve every requirements file again
	$(COMPILE) invoker/requirements.in -o invoker/requirements.txt
	$(COMPILE) serving-container/requirements.in -o serving-container/requirements.txt
	for name in compile lightgbm xgboost; do $(COMPILE) serving-container/requirements-$$name.in -c serving-container/requirements.txt -o serving-container/requirements-$$name.txt; done
	$(COMPILE) authorizer/requirements.in -o authorizer/requirements.txt
	$(COMPILE) requirements/dev.in -c invoker/requirements.txt -c serving-container/requirements.txt -o requirements/dev.txt
	$(COMPILE) requirements/local.in -c requirements/dev.txt -o requirements/local.txt
	for name in uv sam lint emulator fuzz; do $(COMPILE) requirements/$$name.in -o requirements/$$name.txt; done
	for name in baseline fastapi mlserver litserve bentoml mlflow ceiling; do $(COMPILE) requirements/bench-$$name.in -c serving-container/requirements.txt -o requirements/bench-$$name.txt; done

clean: ## remove environments and everything built
	rm -rf .venv .tools .local .aws-sam

.PHONY: compile image push
# Where MODEL lies; an example is trained first.
MODEL_DIRECTORY = $(BIN)/python -m local --print-model --model "$(MODEL)"
INSTALL_DOCKER := install it from https://docs.docker.com/get-started/get-docker/

OUTPUT ?=
compile: .venv/.locked ## turn a scikit-learn model into ONNX that is proved to answer the same: MODEL=directory, OUTPUT=directory
	@$(if $(OUTPUT),,$(error OUTPUT is not set: name a directory for the compiled model, as in make compile MODEL=my-model OUTPUT=my-model-compiled))
	@model=$$($(MODEL_DIRECTORY)) && PYTHONPATH=serving-container $(BIN)/python -m predictor compile "$$model" --output "$(OUTPUT)"

# Built from a copy, so that the folders of the project and of the model stay as they are; with BuildKit where Docker has it.
CONTEXT ?= .local/image
EXTRAS ?=
image: .venv/.locked ## build the image with a model in it: MODEL=iris or a directory, IMAGE, EXTRAS="xgboost lightgbm compile"
	@command -v "$(DOCKER)" >/dev/null || { echo "error: there is no $(DOCKER) on PATH: $(INSTALL_DOCKER)" >&2; exit 2; }
	@model=$$($(MODEL_DIRECTORY)) && \
	rm -rf "$(CONTEXT)" && mkdir -p "$(CONTEXT)" && cp -R serving-container/. "$(CONTEXT)" && \
	cp -R "$$model/." "$(CONTEXT)/model"
	@extras=$$(PYTHONPATH=serving-container $(BIN)/python -m predictor.worker.extras "$(CONTEXT)/model" $(EXTRAS)) && set -x && \
	$(DOCKER) build $(DOCKER_BUILD_FLAGS) --build-arg EXTRAS="$$extras" --tag "$(IMAGE)" "$(CONTEXT)"

push: .venv/.locked ## push the image to ECR and print its URI by digest: IMAGE, REPOSITORY; AWS_PROFILE, AWS_REGION
	@$(BIN)/python -m deployment.push --image "$(IMAGE)" --repository "$(REPOSITORY)"

# What comes before and after a deployment. ENV is an environment of samconfig.toml, PARAMETERS are Name=value.
ENV ?= default
PARAMETERS ?=
URL ?= http://127.0.0.1:$(PORT)
# By either name, in every command.
KEY ?= $(API_KEY)
TOKEN ?=
SHOWN = API_KEY="$(KEY)" TOKEN="$(TOKEN)"
DEPLOYMENT := PYTHONPATH=golden $(BIN)/python -m deployment
CHOSEN = --environment "$(ENV)" $(PARAMETERS)
SAM := SAM_CLI_TELEMETRY=0 PATH="$(CURDIR)/.tools/uv/bin:$$PATH" .tools/sam/bin/sam
given = $(if $(filter file default undefined,$(origin $(1))),,$(2) "$($(1))")
.PHONY: preflight golden smoke cost deploy access delete

preflight: .venv/.locked ## what would fail while the stack is made: ENV, PARAMETERS, IMAGE, MODEL=directory, MODEL_DATA=model.tar.gz
	@$(DEPLOYMENT) preflight $(call given,IMAGE,--image) $(call given,MODEL,--model) --artifact "$(MODEL_DATA)" $(CHOSEN)

golden: .venv/.locked ## write golden/golden.json from what an API answers: URL, KEY, TOKEN or SIGN=1, MODEL with samples.csv
	@model=$$($(MODEL_DIRECTORY)) && $(SHOWN) $(DEPLOYMENT) golden --url "$(URL)" $(if $(SIGN),--sign) --model "$$model"

smoke: .venv/.locked ## golden requests against a deployed API: URL, and KEY, TOKEN="Bearer ..." or SIGN=1
	@$(SHOWN) $(DEPLOYMENT) smoke --url "$(URL)" $(if $(SIGN),--sign)

cost: .venv/.locked ## an estimate of what the parameters cost: ENV, PARAMETERS
	@$(DEPLOYMENT) cost $(CHOSEN)

.PHONY: snapshots
snapshots: .venv/.locked ## write what CloudFormation makes of template.yaml in each mode: tests/template/snapshots
	@$(BIN)/python -m tests.template.modes

deploy: .venv/.locked ## build and deploy, with a SAM CLI of its own: ENV, PARAMETERS
	@$(DEPLOYMENT) account
	@$(MAKE) --silent .tools/sam/.locked
	@overrides=$$($(DEPLOYMENT) overrides $(CHOSEN)) && \
	$(SAM) build --config-env "$(ENV)" && \
	$(SAM) deploy --config-env "$(ENV)" $${overrides:+--parameter-overrides $$overrides}

access: .venv/.locked ## print a deployed API's URL, its key and a curl line: ENV
	@$(BIN)/python -m deployment.access --environment "$(ENV)"

delete: .venv/.locked ## delete the stack of ENV; YES=1 asks nothing
	@$(DEPLOYMENT) account
	@$(MAKE) --silent .tools/sam/.locked
	@$(SAM) delete --config-env "$(ENV)" $(if $(YES),--no-prompts)
	@echo "Gone with the stack: API, function, endpoint, alarms, dashboard, logs. Nothing that is left runs."
	@echo "Kept, and paid by size: the image in ECR, model.tar.gz, captured data, the bucket aws-sam-cli-managed-default-*."
	@echo "Kept, free: API Gateway's log role, which all APIs of the account and region share."

fuzz: .venv/.locked ## 100,000 broken requests against the serving container's process
	FUZZ_SEED=$${FUZZ_SEED:-$$(date +%s)} FUZZ_REQUESTS=100000 $(BIN)/pytest tests/serving/test_fuzz.py

soak: .venv/.locked ## 64 clients for a minute against the serving container's process, every answer checked
	SOAK_SECONDS=60 $(BIN)/pytest tests/serving/test_soak.py
