"""What a batch does: a list of builds, and the one way that all of them go. Pure.

Format: CodeBuild's user guide, "Build specification reference" and "Batch build buildspec reference". Words of the
configuration reach the shell in variables only, each in quotes, so none of them can become a command. Each command is a
shell of its own, which ends at the first failure: whether CodeBuild hands options on from one to the next is not said.
"""

import io
import json
import shlex
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from brqos.fleet.codebuild.bundle import REQUIREMENTS
from brqos.fleet.codebuild.members import Member
from brqos.fleet.codebuild.place import RUNS
from brqos.fleet.codebuild.wheel import wheel_name

MARK = "::brqos::"
"""Stands before every line that brqos prints in a build; only such lines are followed."""
PATTERN = f'"{MARK}"'
"""The same as CloudWatch Logs takes it."""
RESULTS = "results"

_BIN = "/opt/brqos/bin"
_KEYS = "/tmp/brqos-sbkeys"  # noqa: S108 - on a machine that is one build's own
_GET_KEYS = {
    "s3": 'aws s3 cp --only-show-errors "$BRQOS_SBKEYS" - | tar -xz --no-same-permissions -C "$BRQOS_KEYS"',
    "tar": 'aws s3 cp --only-show-errors "$BRQOS_SBKEYS" - | tar -x --no-same-permissions -C "$BRQOS_KEYS"',
    "secret": 'printf %s "$BRQOS_SBKEYS" | base64 -d | tar -xz --no-same-permissions -C "$BRQOS_KEYS"',
}
_DOCKER = """\
if [ -n "${BRQOS_DOCKER:-}" ] && ! docker info >/dev/null 2>&1; then
  nohup dockerd --host=unix:///var/run/docker.sock >/tmp/dockerd.log 2>&1 &
  for second in $(seq 60); do docker info >/dev/null 2>&1 && break; sleep 1; done
  docker info >/dev/null || { cat /tmp/dockerd.log; exit 1; }
fi
"""
# rustup's own program by its hash (the one that docker-library's rust images name); it verifies what it fetches.
_RUSTUP = "https://static.rust-lang.org/rustup/archive/1.27.1/x86_64-unknown-linux-gnu/rustup-init"
_RUSTUP_SHA256 = "6aeece6993e902708983b209d04c0d1dbb14ebb405ddb87def578d41f920f56d"
_CARGO_MAKE = "0.37.24"
_TOOLS = f"""\
if [ "$BRQOS_ENGINE" = repack ] && command -v apt-get >/dev/null; then
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends \\
    awscli gdisk e2fsprogs erofs-utils cryptsetup-bin mtools sbsigntool gnupg >/dev/null
fi
if [ "$BRQOS_ENGINE" = source ]; then
  export PATH="$HOME/.cargo/bin:$PATH"
  command -v lz4 >/dev/null || {{ apt-get update -qq; apt-get install -qq --no-install-recommends lz4 >/dev/null; }}
  if ! command -v cargo >/dev/null; then
    curl --proto =https --tlsv1.2 -sSfo /tmp/rustup-init {_RUSTUP}
    echo "{_RUSTUP_SHA256}  /tmp/rustup-init" | sha256sum --check --quiet
    chmod 0755 /tmp/rustup-init
    /tmp/rustup-init -y -q --no-modify-path --profile minimal
  fi
  command -v cargo-make >/dev/null || cargo install --quiet --locked --version {_CARGO_MAKE} cargo-make
  # This shell's PATH ends with it.
  if [ -d "$HOME/.cargo/bin" ]; then ln -sf "$HOME"/.cargo/bin/* /usr/local/bin/; fi
fi
"""
_BUILD = """\
"$BRQOS_PROGRAM" build --config "$BRQOS_CONFIG" --variant "$BRQOS_VARIANT" --arch "$BRQOS_ARCH" \\
  ${BRQOS_EXPECT:+--expect "$BRQOS_EXPECT"} ${BRQOS_KEYS:+--sbkeys-profile "$BRQOS_KEYS"} \\
  ${BRQOS_PUBLIC:+--confirm-public} @flags@--json \\
  --results "$BRQOS_RESULTS/$BRQOS_ENTRY/$BRQOS_ATTEMPT"
"""


@dataclass(frozen=True, slots=True)
class Way:
    """What all builds of a run have in common.

    `sbkeys` is where the signing profile is fetched from; `program` is brqos's command where it is there already, as a
    rehearsal's and that of an image with brqos in it; `keys` is a profile's folder that is there already (rehearsal).
    """

    bucket: str
    run: str
    hashed: bool
    sbkeys: str | None = None
    program: tuple[str, ...] = ()
    rehearsal: bool = False
    image_only: bool = False
    images: bool = False


def common_of(way: Way) -> dict[str, Any]:
    """What all builds of a run have in common: environment and phases."""
    fetch = [_alone(_fetch_keys(way)), "unset BRQOS_SBKEYS"] if way.sbkeys else []
    phases: dict[str, Any] = {
        "install": {"commands": [_alone(_install(way))]},
        "pre_build": {"commands": [*fetch, _alone(_DOCKER)]},
        "build": {"commands": [_alone(_command(way))]},
    }
    if way.program and not way.rehearsal:
        # All is there.
        del phases["install"]
    if way.rehearsal:
        # Nothing of it is real, Docker included.
        del phases["pre_build"]
    return {"env": _environment(way), "phases": phases}


def listed_of(member: Member, way: Way) -> dict[str, Any]:
    """What sets one build apart, as an item of `batch/build-list`; all but the number of its attempt."""
    spec = member.entry.spec
    variables = {
        "BRQOS_ENTRY": member.id,
        "BRQOS_CONFIG": member.config,
        "BRQOS_VARIANT": spec.variant,
        "BRQOS_ARCH": spec.arch.value,
        "BRQOS_ENGINE": spec.build.engine.value,
        "BRQOS_EXPECT": member.expected,
        "BRQOS_KEYS": _keys_folder(member, way),
        # In YAML 1.1 a plain yes would be no text.
        "BRQOS_DOCKER": "1" if member.machine.docker else "",
        "BRQOS_PUBLIC": "1" if spec.ami.public else "",
    }
    return {
        "identifier": member.identifier,
        "env": {
            "compute-type": member.machine.compute.type,
            **({"image": member.machine.image} if member.machine.image and not way.rehearsal else {}),
            "privileged-mode": member.machine.docker and not way.rehearsal,
            "variables": {name: value for name, value in variables.items() if value},
        },
    }


def buildspec(common: Mapping[str, Any], listed: Sequence[tuple[Mapping[str, Any], int]]) -> str:
    """The buildspec of a batch as YAML; `listed` are its builds, each with the number of its attempt, from 1."""
    items = [
        {**item, "env": {**item["env"], "variables": {**item["env"]["variables"], "BRQOS_ATTEMPT": str(number)}}}
        for item, number in listed
    ]
    return _yaml({"version": 0.2, "batch": {"fast-fail": False, "build-list": items}, **common})


def results_prefix(run: str, entry: str, attempt: int) -> str:
    """Below which key a build leaves its results."""
    return f"{RUNS}/{run}/{RESULTS}/{entry}/{attempt}/"


def _keys_folder(member: Member, way: Way) -> str:
    if not member.needs_keys:
        return ""
    return str(member.entry.spec.build.sbkeys_profile.absolute()) if way.rehearsal else _KEYS  # type: ignore[union-attr]


def _environment(way: Way) -> dict[str, Any]:
    variables = {
        "BRQOS_PROGRAM": "./brqos" if way.rehearsal else way.program[0] if way.program else f"{_BIN}/brqos",
        "BRQOS_RESULTS": f"s3://{way.bucket}/{RUNS}/{way.run}/{RESULTS}",
        "BRQOS_MARK": MARK,
        "PYTHONUNBUFFERED": "1",
    }
    environment: dict[str, Any] = {"shell": "bash", "variables": variables}
    if way.sbkeys and not way.rehearsal:
        if way.sbkeys.startswith("s3://"):
            variables["BRQOS_SBKEYS"] = way.sbkeys
        else:
            environment["secrets-manager"] = {"BRQOS_SBKEYS": way.sbkeys}
    return environment


def _install(way: Way) -> str:
    if way.rehearsal:
        # The only difference to the real one: this Python's brqos instead of one that is installed.
        program = shlex.quote(f'#!/bin/sh\nexec {shlex.join(way.program)} "$@"\n')
        return f"printf %s {program} >brqos\nchmod 0755 brqos\n"
    # The lock is complete, less what brqos does not use of others (pyproject.toml, override-dependencies).
    checks = "--require-hashes --no-deps --only-binary :all: " if way.hashed else ""
    without = "--no-deps " if way.hashed else ""
    pip = f"{_BIN}/python -m pip --quiet --disable-pip-version-check --no-input install"
    # Without runtime-versions, which images other than CodeBuild's own do not know; in those python3 is 3.11 or newer.
    return f"{_TOOLS}python3 -m venv /opt/brqos\n{pip} {checks}-r {REQUIREMENTS}\n{pip} {without}./{wheel_name()}\n"


def _fetch_keys(way: Way) -> str:
    wanted = way.sbkeys or ""
    kind = "secret" if not wanted.startswith("s3://") else "tar" if wanted.endswith(".tar") else "s3"
    return f'if [ -n "${{BRQOS_KEYS:-}}" ]; then\n  umask 077\n  mkdir -p "$BRQOS_KEYS"\n  {_GET_KEYS[kind]}\nfi\n'


def _command(way: Way) -> str:
    wanted = {"--rehearse": way.rehearsal, "--image-only": way.image_only, "--images": way.images}
    flags = "".join(f"{flag} " for flag, given in wanted.items() if given)
    without_keys = "unset BRQOS_SBKEYS\n" if way.sbkeys else ""
    return without_keys + _BUILD.replace("@flags@", flags)


def _alone(script: str) -> str:
    return "(\n" + textwrap.indent(f"set -euo pipefail\n{script}", "  ") + ")\n"


def _blocks(value: object) -> object:
    """The same, with texts of several lines as YAML's literal blocks."""
    from ruamel.yaml.scalarstring import LiteralScalarString

    if isinstance(value, Mapping):
        return {key: _blocks(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_blocks(item) for item in value]
    return LiteralScalarString(value) if isinstance(value, str) and "\n" in value else value


def _yaml(document: Mapping[str, Any]) -> str:
    return _yaml_of(json.dumps(document))


# A start that is not answered is asked for again, with the same text.
@lru_cache(maxsize=16)
def _yaml_of(document: str) -> str:
    from ruamel.yaml import YAML

    yaml = YAML()
    yaml.width = 4096
    yaml.indent(mapping=2, sequence=4, offset=2)
    buffer = io.StringIO()
    yaml.dump(_blocks(json.loads(document)), buffer)
    return buffer.getvalue()
