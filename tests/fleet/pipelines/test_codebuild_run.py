"""Buildspecs that are run: a rehearsal for real, and the rest with stand-ins for what they call."""

import base64
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from fleet.pipelines.cases import template
from fleet.pipelines.scripts import buildspecs
from fleet.pipelines.test_run import CONFIG, scripts_brqos  # noqa: F401 - a fixture

pytestmark = pytest.mark.processes


class Machine:
    """A machine of CodeBuild's, as far as buildspecs can tell: one shell for all commands, and no `set -e` in it.

    A phase ends at the first command that fails; what is in `finally` is run all the same, and later phases are not.
    """

    def __init__(self, folder: Path) -> None:
        self.bucket = folder / "bucket"
        self.tools = folder / "tools"
        self.calls_file = folder / "calls"
        self.folder = folder
        self.number = 0
        for path in (self.bucket, self.tools):
            path.mkdir()
        self.stand_in("aws", f'exec "{sys.executable}" -I "{Path(__file__).with_name("aws_stand_in.py")}" "$@"\n')

    def stand_in(self, name: str, script: str) -> None:
        path = self.tools / name
        path.write_text(f"#!/bin/sh\n{script}")
        path.chmod(0o755)

    def writes_itself_down(self, name: str, script: str = "") -> None:
        self.stand_in(name, f'printf \'%s\\n\' "{name} $*" >>"$CALLS"\n{script}\n')

    def calls(self, name: str = "") -> list[str]:
        lines = self.calls_file.read_text().splitlines() if self.calls_file.exists() else []
        return [line for line in lines if line.startswith(name)]

    def source(self) -> Path:
        """The sources of the next build: each has a folder of its own, with the configuration in it."""
        self.number += 1
        path = self.folder / f"src{self.number}"
        path.mkdir()
        (path / "brqos.toml").write_text(CONFIG)
        return path

    def run(
        self, spec: dict[str, Any], variables: dict[str, str], source: Path, *, install: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """All phases of a build."""
        lines = ["failed=0"]
        for name, phase in spec["phases"].items():
            if name == "pre_build" and not install:
                continue
            for command in phase.get("commands", ()):
                lines.append(f"if [ $failed = 0 ]; then\n{command}\ncode=$?; [ $code = 0 ] || failed=$code\nfi")
            lines += phase.get("finally", ())
        lines += ['echo "any=${ANY:-}"', "exit $failed"]
        script = self.folder / "build.sh"
        script.write_text("\n".join(lines))
        env = {
            **os.environ,
            **{key: str(value) for key, value in spec.get("env", {}).get("variables", {}).items()},
            "PATH": f"{self.tools}:{os.environ['PATH']}",
            "BUCKET": "bucket",
            "BUCKET_FOLDER": str(self.bucket),
            "CALLS": str(self.calls_file),
            "RUN": "run-1",
            "CODEBUILD_SRC_DIR": str(source),
            "CODEBUILD_BUILD_ID": f"brqos-build:0123-{self.number}",
            **variables,
        }
        return subprocess.run(["sh", str(script)], cwd=source, env=env, capture_output=True, text=True, check=False)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    (tmp_path / "configured").mkdir()
    monkeypatch.chdir(tmp_path / "configured")
    return Machine(tmp_path)


def specs_of(name: str, **wishes: Any) -> dict[str, dict[str, Any]]:
    return buildspecs(template(name, Path.cwd(), **wishes))


def of_batch(spec: dict[str, Any]) -> list[dict[str, str]]:
    return [one["env"]["variables"] for one in spec["batch"]["build-list"]]


def plan_of(machine: Machine, *ids: str) -> None:
    (machine.bucket / "plans").mkdir(exist_ok=True)
    entries = [{"id": one} for one in ids]
    (machine.bucket / "plans/run-1.json").write_text(json.dumps({"include": entries}, indent=2))


@pytest.mark.slow
def test_a_rehearsal_from_plan_to_record(machine: Machine, scripts_brqos: Path) -> None:  # noqa: F811 - the fixture
    specs = specs_of("rehearsal", brqos=".")
    source = machine.source()
    (source / "scripts").mkdir()
    (source / "scripts/brqos").write_text(f'exec "{scripts_brqos}" "$@"\n')
    planned = machine.run(specs["Plan"], {}, source)
    assert planned.returncode == 0, planned.stderr
    assert planned.stdout.endswith("any=yes\n")
    built = of_batch(specs["Build"])
    assert [one["ARCH"] for one in built] == ["x86_64", "aarch64"]
    for variables in built:
        shutil.rmtree(source / ".brqos/builds", ignore_errors=True)
        done = machine.run(specs["Build"], variables, source)
        assert done.returncode == 0, done.stderr
        (record,) = (machine.bucket / "images/run-1" / variables["ID"]).glob("*/build.json")
        found = json.loads(record.read_text())
        assert found["rehearsal"] is True
        assert found["spec"]["arch"] == variables["ARCH"]
        assert sorted(path.name for path in record.parent.iterdir()) == ["build.json", "build.log"]
    other = machine.run(specs["Build"], {**built[0], "ID": "another"}, source)
    assert "another is there already.\n" in other.stdout


def test_an_empty_plan_leaves_the_stages_out(machine: Machine) -> None:
    machine.writes_itself_down("brqos", "echo '{\"include\": []}'")
    done = machine.run(specs_of("source")["Plan"], {}, machine.source())
    assert (done.returncode, done.stdout) == (0, "any=no\n")
    assert machine.calls("brqos") == ["brqos matrix brqos.toml --json"]


def test_a_plan_that_fails_is_no_plan(machine: Machine) -> None:
    machine.writes_itself_down("brqos", "exit 7")
    assert machine.run(specs_of("source")["Plan"], {}, machine.source()).returncode == 7
    assert machine.calls("aws") == []


BUILDS = 'mkdir -p .brqos/builds/one; echo "{}" >.brqos/builds/one/build.json; echo x >.brqos/builds/one/os.img.lz4'


def test_kits_are_fetched_by_the_locks_digests_and_kept(machine: Machine, tool: Any) -> None:
    tool("jq")
    specs = specs_of("source")
    (variables,) = of_batch(specs["Build"])
    plan_of(machine, variables["ID"])
    tree = machine.folder / "tree"
    tree.mkdir()
    (tree / "Twoliter.lock").write_text('digest = "a"\n')
    fetch = f'test "$1" = generate && {{ echo "{{\\"work_tree\\": \\"{tree}\\"}}"; exit 0; }}'
    kits = f'mkdir -p "{tree}/build/external-kits/cache"; echo kit >"{tree}/build/external-kits/cache/kit"'
    machine.writes_itself_down("brqos", f"{fetch}\n{kits}\n{BUILDS}")
    machine.writes_itself_down("docker")
    first = machine.run(specs["Build"], variables, machine.source())
    assert first.returncode == 0, first.stderr
    (kept,) = (machine.bucket / "kits").iterdir()
    assert (machine.bucket / "images/run-1" / variables["ID"] / "one/os.img.lz4").read_text() == "x\n"
    (tree / "build/external-kits/cache/kit").unlink()
    before = kept.stat().st_mtime_ns
    machine.writes_itself_down("brqos", f'{fetch}\ntest -f "{tree}/build/external-kits/cache/kit" || exit 6\n{BUILDS}')
    second = machine.run(specs["Build"], variables, machine.source())
    assert second.returncode == 0, second.stderr
    assert kept.stat().st_mtime_ns == before
    built = "brqos build --image-only --config brqos.toml --variant aws-k8s-1.34 --arch x86_64"
    assert machine.calls("brqos build") == [built, built]


def test_a_build_that_fails_leaves_no_image_and_is_told_at_its_registration(machine: Machine) -> None:
    specs = specs_of("both-engines")
    variables = of_batch(specs["Build"])[1]
    plan_of(machine, variables["ID"])
    machine.writes_itself_down("brqos", "exit 6")
    assert machine.run(specs["Build"], variables, machine.source()).returncode == 6
    assert not (machine.bucket / "images").exists()
    done = machine.run(specs["Register"], variables, machine.source())
    assert done.returncode == 6
    assert f"the build of {variables['ID']} left no image" in done.stderr


def test_a_variant_that_needs_no_image_is_no_failure(machine: Machine) -> None:
    specs = specs_of("both-engines")
    variables = of_batch(specs["Build"])[1]
    plan_of(machine, variables["ID"])
    machine.writes_itself_down("brqos")
    assert machine.run(specs["Build"], variables, machine.source()).returncode == 0
    done = machine.run(specs["Register"], variables, machine.source())
    assert done.returncode == 0
    assert "needs no image" in done.stdout
    assert len(machine.calls("brqos")) == 1


REGISTERS = "cd .brqos/builds/one; echo {} >amis.json; mkdir -p attestations; echo {} >attestations/sbom.cdx.json"


@pytest.mark.parametrize("code", [0, 7])
def test_what_was_made_before_a_failure_is_known(machine: Machine, code: int) -> None:
    specs = specs_of("repack")
    variables = of_batch(specs["Register"])[0]
    plan_of(machine, variables["ID"])
    image = machine.bucket / "images/run-1" / variables["ID"] / "one"
    image.mkdir(parents=True)
    (image / "build.json").write_text("{}")
    (image / "os.img.lz4").write_text("x")
    machine.writes_itself_down("brqos", f"{REGISTERS}; exit {code}")
    done = machine.run(specs["Register"], variables, machine.source(), install=False)
    assert done.returncode == code, done.stderr
    published = machine.bucket / "published/run-1" / variables["ID"] / "one"
    names = sorted(str(path.relative_to(published)) for path in published.rglob("*") if path.is_file())
    assert names == ["amis.json", "attestations/sbom.cdx.json", "build.json"]
    (call,) = machine.calls("brqos")
    assert call == "brqos register --config brqos.toml --record .brqos/builds/one/build.json --no-promote"
    promoted = machine.run(specs["Promote"], variables, machine.source(), install=False)
    assert promoted.returncode == code
    assert machine.calls("brqos")[1] == call.replace("--no-promote", "--promote")


@pytest.mark.parametrize("code", [0, 8])
def test_a_canary_is_removed_come_what_may(machine: Machine, code: int) -> None:
    specs = specs_of("by-rule")
    variables = of_batch(specs["Verify"])[0]
    plan_of(machine, variables["ID"])
    record = machine.bucket / "published/run-1" / variables["ID"] / "one/build.json"
    record.parent.mkdir(parents=True)
    record.write_text("{}")
    machine.writes_itself_down(
        "brqos", f"case $1 in nodegroup) touch canary.yaml ;; verify) echo xml >canary.xml; exit {code} ;; esac"
    )
    for name in ("eksctl", "kubectl"):
        machine.writes_itself_down(name)
    home = machine.folder / "home"
    home.mkdir()
    done = machine.run(specs["Verify"], {**variables, "HOME": str(home)}, machine.source(), install=False)
    assert done.returncode == code, done.stderr
    assert [call.split(" --")[0] for call in machine.calls("eksctl")] == [
        "eksctl create nodegroup",
        "eksctl delete nodegroup",
    ]
    assert "--name canary-0123-1 --wait" in machine.calls("eksctl")[1]
    assert "credential_source = EcsContainer" in (home / ".aws/config").read_text()
    # The node is made as another role, and records are kept as the stack's own.
    assert [call.split(":")[0] for call in machine.calls("aws") if "canary.xml" in call] == ["aws "]
    assert [call.split(":")[0] for call in machine.calls("aws") if "kubeconfig" in call] == ["aws canary"]
    assert (machine.bucket / "published/run-1" / variables["ID"] / "canary.xml").exists()


def test_no_canary_no_removal(machine: Machine) -> None:
    specs = specs_of("by-rule")
    variables = of_batch(specs["Verify"])[0]
    plan_of(machine)
    for name in ("brqos", "eksctl", "kubectl"):
        machine.writes_itself_down(name)
    assert machine.run(specs["Verify"], variables, machine.source(), install=False).returncode == 0
    assert machine.calls("eksctl") == machine.calls("brqos") == []


@pytest.mark.parametrize(("code", "said"), [(0, None), (11, "has a newer release"), (5, "brqos watch failed")])
def test_watch_tells_and_never_fails(machine: Machine, code: int, said: str | None) -> None:
    machine.writes_itself_down("brqos", f"echo report; exit {code}")
    done = machine.run(specs_of("repack")["Watch"], {"NEWS": "arn:topic"}, machine.source(), install=False)
    assert done.returncode == 0, done.stderr
    assert "report" in done.stdout
    told = machine.calls("aws")
    assert len(told) == (0 if said is None else 1)
    assert said is None or said in told[0]


def test_keys_come_from_a_secret_and_for_the_owner_only(machine: Machine) -> None:
    specs = specs_of("repack")
    variables = of_batch(specs["Build"])[0]
    plan_of(machine, variables["ID"])
    keys = machine.folder / "keys"
    keys.mkdir()
    (keys / "db.key").write_text("secret")
    packed = subprocess.run(["tar", "-cz", "-C", keys, "."], capture_output=True, check=True).stdout
    for name in ("brqos", "apt-get"):
        machine.writes_itself_down(name)
    source = machine.source()
    secret = {"SBKEYS": base64.b64encode(packed).decode()}
    done = machine.run(specs["Build"], {**variables, **secret}, source, install=False)
    assert done.returncode == 0, done.stderr
    key = source / "sbkeys/mine/db.key"
    assert key.read_text() == "secret"
    assert not key.stat().st_mode & 0o077
    assert "secret" not in done.stdout + done.stderr
    # Keys are no part of what is kept.
    assert not list(machine.bucket.rglob("db.key"))
