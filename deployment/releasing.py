"""From a model's folder to its URL: each step hands its result to the next, and what was done is not done again.

image      built, tried and pushed, unless the parameters name one; Docker and ECR know what they have
preflight  all findings; an error ends it
change     a change set of every parameter, shown and asked for
release    deployed, smoked, recorded; old versions are removed
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import httpx

from deployment import build, pruning, push, sam, smoke
from deployment.access import Access, read_access
from deployment.credentials import choose as credentials
from deployment.deployment_file import Deployment
from deployment.engine import Docker
from deployment.errors import CheckFailedError, DeployFailedError
from deployment.findings import Finding, Level
from deployment.parameters import Stack
from deployment.releases import FAILED, Release, Releases
from deployment.sam import Package
from deployment.session import Refusal, Session, explain
from deployment.settings import ROOT
from deployment.stacks import Proposal, Stacks
from deployment.target import Hosting, Target
from golden import requests

TRIED = ROOT / ".local" / "tried"
Tell = Callable[[str], None]
Show = Callable[[Finding], None]


@dataclass(frozen=True, slots=True)
class Releasing:
    """One deployment: `tell` says what happens, `show` shows a finding, `agree` is asked before anything changes."""

    session: Session
    stack: Stack
    tell: Tell
    show: Show
    agree: Callable[[Proposal], bool]

    @property
    def model(self) -> Path | None:
        """The model's folder."""
        return self.stack.deployment.model if self.stack.deployment else None

    @property
    def golden(self) -> Path | None:
        """The model's golden requests, where it has some."""
        file = self.model / "golden.json" if self.model else None
        return file if file and file.is_file() else None

    def needs_image(self) -> bool:
        """Whether an image has to be built for this stack."""
        given = self.stack.parameters
        return bool(self.model) and given["Hosting"] != Hosting.EXISTING.value and not given["ImageUri"]

    def with_image(self, docker: Docker, target: Target, flags: str = "", base: str = "") -> "Releasing":
        """Build, try and push the image; return the deployment of it. Raises CheckFailedError."""
        deployment = self.stack.deployment
        if deployment is None:
            return self
        name = f"model-api-{deployment.name}"
        chosen = build.Build(deployment.model, name, None, "", flags, base, f"linux/{target.architecture}")
        build.build(docker, chosen, self.tell)
        identity = str(docker.inspect("image", name)["Id"]).removeprefix("sha256:")
        self._try(docker, chosen, identity)
        uri = push.run(docker, self.session, name, deployment.repository)
        self.tell(f"image {uri}")
        return replace(self, stack=replace(self.stack, parameters={**self.stack.parameters, "ImageUri": uri}))

    def _try(self, docker: Docker, chosen: build.Build, identity: str) -> None:
        """Start the image and ask it, unless this very image with these golden requests was tried before."""
        golden = self.golden.read_bytes() if self.golden else b""
        mark = TRIED / f"{identity[:16]}-{build.digest(golden)}"
        if mark.exists():
            self.tell("this image was tried before, with the same golden requests")
            return
        self.checked(build.try_image(docker, chosen), "the image does not do what it should")
        mark.parent.mkdir(parents=True, exist_ok=True)
        mark.touch()

    def checked(self, findings: list[Finding], otherwise: str) -> None:
        """Show findings; raises CheckFailedError where one is an error."""
        for finding in findings:
            self.show(finding)
        if any(finding.level is Level.ERROR for finding in findings):
            raise CheckFailedError(f"{otherwise}; nothing was deployed")

    def change(self) -> Access:
        """Bring the stack to where its parameters say that it should be; raises CheckFailedError, DeployFailedError."""
        stacks, package, proposal = self._propose()
        releases = Releases(self.session, package.bucket, self.stack.name)
        if proposal is None:
            self.tell(f"{self.stack.name} is as it should be: nothing to change")
            if self.is_recorded(releases, package.key):
                return read_access(self.session, self.stack.name)
        else:
            self._carry_out(stacks, proposal)
        model = build.model_digest(self.model) if self.model else ""
        return self._finish(releases, package.key, model, self.golden)

    def plan(self) -> Proposal | None:
        """What a deployment would change, None where that is nothing; it changes nothing."""
        stacks, _, proposal = self._propose()
        if proposal:
            stacks.discard(proposal)
        return proposal

    def _propose(self) -> tuple[Stacks, Package, Proposal | None]:
        """Package the functions, and have CloudFormation say what would change."""
        stacks = Stacks(self.session, self.tell)
        stacks.settle(self.stack.name)
        files = {"golden.json": self.golden, "schema.json": self.model / "schema.json" if self.model else None}
        package = sam.package(self.stack.name, self.session.region_name, files, self.tell)
        return stacks, package, stacks.propose(self.stack, package)

    def is_recorded(self, releases: Releases, template: str) -> bool:
        """Whether what is deployed answered its golden requests: a deployment may have failed, or been broken off."""
        if self.stack.deployment is None:
            return True
        known = releases.read()
        if not known or known[0].failed:
            return False
        return known[0].content == (template, dict(self.stack.parameters))

    def go_back(self, releases: Releases, release: Release) -> Access:
        """Deploy a recorded release again: its template with its code; the stack has its parameters."""
        stacks = Stacks(self.session, self.tell)
        template = self.session.client("s3").get_object(Bucket=releases.bucket, Key=release.template)["Body"].read()
        proposal = stacks.propose(self.stack, Package(template.decode(), releases.bucket))
        if proposal is None:
            raise DeployFailedError(f"{self.stack.name} is at release {release.number} already")
        self._carry_out(stacks, proposal)
        # The folder's golden requests are the newer version's. Those of this release are in its rollout's hook.
        return self._finish(releases, release.template, release.model, None)

    def _carry_out(self, stacks: Stacks, proposal: Proposal) -> None:
        if not self.agree(proposal):
            stacks.discard(proposal)
            raise CheckFailedError("nothing was deployed")
        stacks.execute(proposal)

    def _finish(self, releases: Releases, template: str, model: str, golden: Path | None) -> Access:
        """Ask the new version its golden requests, write the release down, and remove what is too old."""
        access = read_access(self.session, self.stack.name)
        if self.stack.deployment is None:
            return access
        findings = self._smoke(access, golden)
        failed = sum(finding.level is Level.ERROR for finding in findings)
        result = f"{failed} {FAILED}" if failed else f"{len(findings)} ok"
        release = releases.add(dict(self.stack.parameters), template, result, model)
        self._prune(releases, self.stack.deployment)
        self.tell(f"{self.stack.name} is at release {release.number}")
        if failed:
            advice = "`model-api rollback` goes back to the release before" if release.number > 1 else "see above"
            raise CheckFailedError(f"{failed} checks of the deployed API failed; {advice}")
        return access

    def _prune(self, releases: Releases, deployment: Deployment) -> None:
        """Remove what is too old; the deployment is done, whether that can be removed or not."""
        keep = deployment.section.keep_versions
        try:
            releases.prune(keep)
            versions = pruning.prune_versions(self.session, self.stack.name, keep)
            images = 0
            if f"/{deployment.repository}@" in self.stack.parameters.get("ImageUri", ""):
                used = releases.images(deployment.name) | pruning.deployed_images(self.session)
                images = pruning.prune_images(self.session, deployment.repository, used, keep)
        except Refusal as error:
            self.tell(f"warning: what is too old was not removed: {explain(error)}")
            return
        if versions or images:
            self.tell(f"removed {versions} old versions of the functions and {images} old images; {keep} are kept")

    def _smoke(self, access: Access, golden: Path | None) -> list[Finding]:
        """The golden requests against the API; what only the caller has, such as a token, is not asked for here."""
        if access.auth not in {"api_key", "iam"}:
            self.tell("the golden requests were not sent: give your token to `model-api smoke --token`")
            return []
        asked = requests.read(golden) if golden else ()
        with httpx.Client(auth=credentials(access.key, "", sign=access.auth == "iam")) as client:
            findings = []
            for finding in smoke.check_api(client, access.url, asked):
                self.show(finding)
                findings.append(finding)
        return findings
