"""Flags over `brqos.toml` over the shipped variant over defaults -> one BuildSpec, each value knowing its origin."""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from brqos.architecture import Architecture
from brqos.config.ami import AmiSpec
from brqos.config.attest import AttestSpec
from brqos.config.codebuild import CodeBuildSpec
from brqos.config.matrix import MatrixSpec
from brqos.config.model import BuildSpec
from brqos.config.nodegroup import NodegroupSpec
from brqos.config.refusal import check_spelling, refused
from brqos.config.variants import shipped_flavor, shipped_path
from brqos.errors import ConfigurationError
from brqos.variant import VariantName

FILE_NAME = "brqos.toml"
Tree = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Resolved:
    """A spec, and for every value (`kubelet.throttling-factor`) where it came from."""

    spec: BuildSpec
    origins: Mapping[str, str]


def resolve(
    flags: Mapping[str, object],
    file: Path | None,
    *,
    flag_names: Mapping[str, str] | None = None,
    image_name: Mapping[str, str] | None = None,
) -> Resolved:
    """Resolve a build's configuration; raises ConfigurationError that names file (or flag), key and what to write.

    `flags` are dotted keys with their values, those that were given only. `file` is the configuration file named by the
    user; without one, `brqos.toml` of the current folder is used where it exists. `flag_names` says what the flag of a
    key is called where that is not the key's last word. `image_name` has what the name of an image tells (`variant`,
    `arch`), for where nothing else says it.
    """
    path, from_file = _read_file(file)
    check_spelling(from_file, str(path))
    from_flags = _nested(flags)
    named: Tree = dict(image_name or {})
    variant = from_flags.get("variant", from_file.get("variant", named.get("variant")))
    if not isinstance(variant, str):
        of_image = ", and the image is not called as upstream calls it" if "image" in _repack(from_flags) else ""
        raise ConfigurationError(
            "no variant is given",
            why=f"Neither --variant nor `variant` in {path or FILE_NAME} says which one to build{of_image}.",
            todo="For example: --variant aws-k8s-1.29 (`brqos variants` lists them, `brqos init` makes a brqos.toml).",
        )
    shipped, shipped_origin = _shipped(VariantName.parse(variant), from_file, from_flags)
    layers: list[tuple[str, Tree]] = [
        ("this machine", {"arch": Architecture.of_this_machine()}),
        ("the image's name", named),
        (shipped_origin, shipped),
        (str(path), from_file),
        ("flag", from_flags),
    ]
    merged, origins = _merged(layers, flag_names or {})
    try:
        spec = BuildSpec.model_validate(merged)
    except ValidationError as error:
        raise refused(error, origins) from None
    effective = {key: origins.get(key, "default") for key, _ in _leaves(spec.model_dump(mode="json"))}
    return Resolved(spec, effective)


def resolve_ami(
    flags: Mapping[str, object],
    file: Path | None,
    *,
    recorded: BuildSpec | None = None,
    flag_names: Mapping[str, str] | None = None,
) -> AmiSpec:
    """The section `[ami]` for a command that builds nothing: flags over the file over what a build's record has.

    `flags` are keys of the section. Without `file` the `brqos.toml` of the current folder counts, beside a record not
    where it is about another variant. Raises ConfigurationError as `resolve` does.
    """
    variant = recorded.variant if recorded else None
    return _resolve_section("ami", flags, file, variant=variant, recorded=recorded, flag_names=flag_names or {}).ami


def resolve_nodegroup(
    flags: Mapping[str, object],
    file: Path | None,
    *,
    variant: str | None = None,
    recorded: BuildSpec | None = None,
    flag_names: Mapping[str, str] | None = None,
) -> NodegroupSpec:
    """The section `[nodegroup]`, in the same way; a `brqos.toml` that nobody named does not count for another variant.

    `flags` are dotted keys of the section (`karpenter.ami-by`), `variant` is the base of the variant in the AMI.
    """
    return _resolve_section(
        "nodegroup", _nested(flags), file, variant=variant, recorded=recorded, flag_names=flag_names or {}
    ).nodegroup


def resolve_matrix(file: Path) -> MatrixSpec:
    """The section `[matrix]` of a file; raises ConfigurationError as `resolve` does, also if nothing says a variant."""
    matrix = _resolve_section("matrix", {}, file, variant=None, recorded=None, flag_names={}).matrix
    _, from_file = _read_file(file)
    if not matrix.variants and "variant" not in from_file:
        raise ConfigurationError(
            f"{file} names no variant",
            todo='Add variant = "aws-k8s-1.34" to it, or below [matrix] variants = ["aws-k8s-1.34"].',
        )
    return matrix


def resolve_codebuild(flags: Mapping[str, object], file: Path | None) -> CodeBuildSpec:
    """The section `[codebuild]` of a file, `brqos.toml` without one; raises ConfigurationError as `resolve` does."""
    return _resolve_section(
        "codebuild", flags, file, variant=None, recorded=None, flag_names={"codebuild.profile": "--profile"}
    ).codebuild


def resolve_attest(file: Path | None, recorded: BuildSpec) -> AttestSpec:
    """The section `[attest]` of a file over what a build's record has; raises ConfigurationError as `resolve` does."""
    return _resolve_section("attest", {}, file, variant=recorded.variant, recorded=recorded, flag_names={}).attest


def _resolve_section(
    name: Literal["ami", "nodegroup", "matrix", "codebuild", "attest"],
    flags: Mapping[str, object],
    file: Path | None,
    *,
    variant: str | None,
    recorded: BuildSpec | None,
    flag_names: Mapping[str, str],
) -> BuildSpec:
    path, from_file = _read_file(file)
    if file is None and _is_about_another(from_file, variant):
        from_file = {}
    section: Tree = {name: from_file.get(name, {})}
    if not isinstance(section[name], dict):
        raise ConfigurationError(
            f"{path}: {name} is {section[name]!r}, and has to be a section",
            todo=f"Write [{name}], and its keys below that.",
        )
    check_spelling(section, str(path))
    below = recorded.model_dump(mode="json", exclude_defaults=True).get(name, {}) if recorded else {}
    layers: list[tuple[str, Tree]] = [("record", {name: below}), (str(path), section), ("flag", {name: dict(flags)})]
    merged, origins = _merged([layer for layer in layers if layer[1][name]], flag_names)
    # Whatever is built, the section's keys are the same: this way they are refused in the same words.
    whole = {"variant": "aws-k8s-1.29", "arch": Architecture.of_this_machine(), **merged}
    try:
        return BuildSpec.model_validate(whole)
    except ValidationError as error:
        raise refused(error, origins) from None


def _is_about_another(from_file: Tree, variant: str | None) -> bool:
    own = from_file.get("variant")
    return variant is not None and isinstance(own, str) and VariantName.parse(own).base != variant


def effective_values(resolved: Resolved) -> list[tuple[str, object, str]]:
    """Every value with its key and origin, in the order of the model."""
    return [(key, value, resolved.origins[key]) for key, value in _leaves(resolved.spec.model_dump(mode="json"))]


def _merged(layers: Sequence[tuple[str, Tree]], flag_names: Mapping[str, str]) -> tuple[Tree, dict[str, str]]:
    """All layers in one, later ones over earlier ones, and for every value where it came from."""
    merged: Tree = {}
    origins: dict[str, str] = {}
    for origin, layer in layers:
        _merge(merged, layer)
        for key, _ in _leaves(layer):
            origins[key] = _flag_name(key, flag_names) if origin == "flag" else origin
    return merged, origins


def _read_file(file: Path | None) -> tuple[Path | None, Tree]:
    path = file or Path(FILE_NAME)
    if file is None and not path.is_file():
        return None, {}
    try:
        return path, tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigurationError(
            f"there is no configuration file {path}", todo="Correct --config, or make one with `brqos init`."
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"{path} cannot be read", why=str(error), todo="Name another file with --config, or make it readable."
        ) from None
    except tomllib.TOMLDecodeError as error:
        # A gate that is given twice is a duplicate key, which TOML itself refuses.
        raise ConfigurationError(
            f"{path} is not valid TOML", why=str(error), todo="Correct that line; `brqos init --print` shows a sample."
        ) from None


def _shipped(variant: VariantName, from_file: Tree, from_flags: Tree) -> tuple[Tree, str]:
    flavor = shipped_flavor(variant)
    if flavor is None:
        upstream = {**_table(from_file, "upstream"), **_table(from_flags, "upstream")}
        engine = {**_table(from_file, "build"), **_table(from_flags, "build")}.get("engine")
        named = {**_repack(from_file), **_repack(from_flags)}.keys() & {"image", "release"}
        # An image that is there already is of the release that it says.
        if "ref" not in upstream and not (engine == "repack" and named):
            raise ConfigurationError(
                f"brqos ships no default release for {variant}",
                why="Any aws-k8s-* variant that a release has works, but which release is meant must be said.",
                todo="Add --ref, for example --ref v1.50.0; `brqos variants` lists the variants with a default.",
            )
        return {}, "default"
    return {"upstream": {"ref": f"v{flavor.default_release}"}}, f"variants/{shipped_path(variant).name}"


def _repack(layer: Tree) -> Tree:
    return _table(layer, "repack")


def _table(layer: Tree, key: str) -> Tree:
    value = layer.get(key, {})
    return value if isinstance(value, dict) else {}


def _nested(flags: Mapping[str, object]) -> Tree:
    tree: Tree = {}
    for key, value in flags.items():
        *tables, last = key.split(".")
        place = tree
        for table in tables:
            place = place.setdefault(table, {})
        place[last] = value
    return tree


def _merge(target: Tree, layer: Tree) -> None:
    for key, value in layer.items():
        if isinstance(value, dict) and isinstance(target.get(key), dict):
            _merge(target[key], value)
        else:
            # A table is copied, so that later layers do not write into this one.
            target[key] = _copied(value)


def _copied(value: Any) -> Any:  # noqa: ANN401 - whatever TOML has
    return {key: _copied(item) for key, item in value.items()} if isinstance(value, dict) else value


def _leaves(tree: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, object]]:
    for key, value in tree.items():
        if isinstance(value, dict) and value:
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _flag_name(key: str, names: Mapping[str, str]) -> str:
    named = next((names[prefix] for prefix in names if key == prefix or key.startswith(f"{prefix}.")), None)
    return f"flag {named or '--' + key.rsplit('.', 1)[-1]}"
