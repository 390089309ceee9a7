from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brqos.config.ami import AmiSpec
from brqos.config.attest import AttestSpec, Signer
from brqos.config.codebuild import CodeBuildSpec, Compute
from brqos.config.mirrors import MirrorsSpec
from brqos.config.model import BuildSection, UpstreamSpec
from brqos.errors import BrqosError
from brqos.fleet.codebuild.members import members_of
from brqos.fleet.codebuild.run import RunEntry
from brqos.fleet.codebuild.sizes import CORES, DISK_GB, IMAGE_TO_REPACK, machine_of
from fleet import builds
from fleet.codebuild.parts import FILE, members


@given(st.lists(st.from_regex(r"[a-z0-9][a-z0-9._-]{0,120}", fullmatch=True), unique=True, min_size=1, max_size=30))
def test_identifiers_are_unique_and_such_as_codebuild_takes(ids: list[str]) -> None:
    entries = [builds.Entry(name, FILE, builds.spec()) for name in ids]
    found = members_of(entries, [None] * len(ids), CodeBuildSpec(), {FILE: b""})
    names = [member.identifier for member in found]
    assert len({name.lower() for name in names}) == len(ids)
    pattern = RunEntry.model_fields["identifier"].metadata[0].pattern
    assert all(__import__("re").fullmatch(pattern, name) for name in names)


def test_what_is_asked_for_decides_the_inputs_and_nothing_else() -> None:
    (one,), (same,) = members(), members()
    (other,) = members(builds.spec(ami=AmiSpec(regions=("eu-west-1",))))
    assert one.inputs == same.inputs
    assert one.inputs != other.inputs


@pytest.mark.parametrize(
    ("more", "same"),
    [
        ("# a word about it", True),
        ('[matrix]\nvariants = ["aws-k8s-1.29", "aws-k8s-1.30"]', True),
        ("[codebuild]\ntimeout = 60", True),
        ('[build.make-env]\nTOKEN = "other"', False),
    ],
)
def test_a_build_is_known_again_after_the_file_was_changed_for_others(more: str, same: bool) -> None:
    """Or it would be started a second time while it goes on."""
    entry = builds.entry()
    texts = ('variant = "aws-k8s-1.29"\n', f'variant = "aws-k8s-1.30"\n{more}\n')
    (one,), (other,) = (members_of([entry], [None], CodeBuildSpec(), {entry.file: text.encode()}) for text in texts)
    assert (one.inputs == other.inputs) is same


@pytest.mark.parametrize(
    ("spec", "compute", "docker"),
    [
        (builds.spec(), Compute.LARGE, True),
        (builds.spec("aws-k8s-1.34-nvidia"), Compute.XLARGE, True),
        (builds.spec("aws-k8s-1.30-fips"), Compute.XLARGE, True),
        (builds.spec(**builds.repacked()), Compute.SMALL, False),
    ],
)
def test_the_machine_follows_from_the_build(spec, compute: Compute, docker: bool) -> None:
    found = machine_of(spec, CodeBuildSpec())
    assert (found.compute, found.docker) == (compute, docker)
    if docker:
        assert DISK_GB[compute] > 80
        assert CORES[compute] >= 4


def test_a_wish_wins_and_the_variants_own_most() -> None:
    wanted = CodeBuildSpec(compute=Compute.MEDIUM, compute_of={"aws-k8s-1.34": Compute.XXLARGE})
    assert machine_of(builds.spec(), wanted).compute is Compute.MEDIUM
    assert machine_of(builds.spec("aws-k8s-1.34"), wanted).compute is Compute.XXLARGE


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        (builds.spec(ami=AmiSpec(regions=("eu-west-1",), profile="images")), "names a profile"),
        (builds.spec(upstream=UpstreamSpec(repository="/src/bottlerocket", ref="v1")), "is a folder of this machine"),
        (builds.spec(upstream=UpstreamSpec(core_kit="../kit")), "upstream.core-kit is a folder of this machine"),
        (builds.spec(mirrors=MirrorsSpec(tuf="/mirror")), "mirrors.tuf is a folder of this machine"),
        (
            builds.spec(mirrors=MirrorsSpec(git={"https://github.com/": "/mirror/"})),
            "mirrors.git.https://github.com/ is",
        ),
        (
            builds.spec(attest=AttestSpec(sign=Signer.COSIGN, key="cosign.key")),
            "to be signed by cosign with cosign.key",
        ),
        (builds.spec(attest=AttestSpec(sign=Signer.COSIGN)), "an identity of yours"),
        (builds.spec(**builds.repacked(image=Path("a.img"))), "repack.image is a file of this machine"),
        (builds.spec(build=BuildSection(sbkeys_profile=Path("keys"))), "keys that lie on this machine"),
    ],
)
def test_what_builders_cannot_do_is_refused(spec, told: str) -> None:
    with pytest.raises(BrqosError, match=told):
        members(spec)


def test_cosign_signs_with_a_key_elsewhere_in_an_image_that_has_it_or_where_is_published() -> None:
    attest = AttestSpec(sign=Signer.COSIGN, key="awskms:///alias/attest")
    spec = builds.spec(attest=attest)
    with pytest.raises(BrqosError, match="to be signed by cosign"):
        members(spec)
    assert members(spec, image="registry.example.com/brqos:1")
    entry = builds.entry(spec)
    assert members_of([entry], [None], CodeBuildSpec(), {entry.file: b""}, signs=False)


def test_keys_are_not_needed_for_what_is_not_signed() -> None:
    spec = builds.spec(**builds.repacked())
    signed = spec.model_copy(update={"build": spec.build.model_copy(update={"sbkeys_profile": Path("keys")})})
    assert not members(signed)[0].needs_keys


def test_what_is_repacked_runs_in_an_image_with_new_enough_tools_unless_another_is_wished_for() -> None:
    repacked = builds.spec("aws-k8s-1.33", **builds.repacked(release="1.50.0"))
    assert machine_of(repacked, CodeBuildSpec()).image == IMAGE_TO_REPACK
    assert machine_of(repacked, CodeBuildSpec(image="registry.example.com/brqos:1")).image is None
    assert machine_of(builds.spec(), CodeBuildSpec()).image is None
