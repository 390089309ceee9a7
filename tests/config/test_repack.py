"""The section `[repack]` and the key `build.engine`: what is taken, and in which words the rest is refused."""

from pathlib import Path

import pytest

from brqos.architecture import Architecture
from brqos.config.model import BuildSpec, Engine
from brqos.config.resolve import resolve
from brqos.errors import BrqosError, ConfigurationError

IMAGE = {"variant": "aws-k8s-1.30", "arch": "aarch64"}


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def refused(text: str, **flags: object) -> BrqosError:
    Path("brqos.toml").write_text(f'variant = "aws-k8s-1.29"\n{text}')
    with pytest.raises(ConfigurationError) as caught:
        resolve(flags, None)
    return caught.value


def test_a_file_with_all_of_it() -> None:
    Path("brqos.toml").write_text(
        'variant = "aws-k8s-1.29"\n[build]\nengine = "repack"\n[repack]\nimage = "a.img"\ndata-image = "b.img"\n'
        "unsigned = true\nswitch-updates-off = true\nlz4-level = 9\n"
        'metadata-url = "https://example.com/m/{variant}/{arch}"\ntargets-url = "/srv/targets"\n'
        f'tuf-root = "root.json"\ntuf-root-sha512 = "{"0" * 128}"\n'
    )
    spec = resolve({}, None).spec
    assert spec.build.engine is Engine.REPACK
    assert (spec.repack.image, spec.repack.data_image) == (Path("a.img"), Path("b.img"))
    assert (spec.repack.unsigned, spec.repack.switch_updates_off, spec.repack.lz4_level) == (True, True, 9)
    # What a record has is read again.
    assert BuildSpec.model_validate_json(spec.model_dump_json()) == spec


@pytest.mark.parametrize(
    ("text", "said", "todo"),
    [
        ('[build]\nengine = "repacked"\n', "build.engine = 'repacked' is refused", "brqos init --print"),
        ('[repack]\nimagee = "x"\n', "unknown key “repack.imagee”", "repack.image"),
        ('[repack]\ndata_image = "x"\n', "unknown key “repack.data_image”", "repack.data-image"),
        ("[repack]\nswitch-update-off = true\n", "unknown key", "repack.switch-updates-off"),
        ('repack = "x.img"\n', "repack = 'x.img' is refused", "[repack]"),
        ("[repack]\nlz4-level = 0\n", "repack.lz4-level = 0 is refused", ""),
        ("[repack]\nlz4-level = 13\n", "repack.lz4-level = 13 is refused", ""),
        ('[repack]\nrelease = "v1.50"\n', "repack.release = 'v1.50' is refused", "1.50.0 or newest"),
        ('[repack]\nunsigned = "maybe"\n', "repack.unsigned = 'maybe' is refused", ""),
        ('[repack]\nmetadata-url = "http://example.com/x"\n', "repack.metadata-url", "https://"),
        ('[repack]\ntargets-url = "targets"\n', "repack.targets-url = 'targets' is refused", "https://"),
        ('[repack]\ntuf-root-sha512 = "abc"\n', "repack.tuf-root-sha512", "sha512sum root.json"),
        ("[repack]\nimage = 5\n", "repack.image = 5 is refused", ""),
    ],
)
def test_what_is_refused(text: str, said: str, todo: str) -> None:
    error = refused(text)
    assert said in error.what
    assert todo in error.todo


def test_the_name_of_an_image_tells_what_nobody_else_does() -> None:
    resolved = resolve({}, None, image_name=IMAGE)
    assert (resolved.spec.variant, resolved.spec.arch) == ("aws-k8s-1.30", Architecture.AARCH64)
    assert resolved.origins["variant"] == resolved.origins["arch"] == "the image's name"
    Path("brqos.toml").write_text('variant = "aws-k8s-1.29"\n')
    resolved = resolve({"arch": "x86_64"}, None, image_name=IMAGE)
    assert (resolved.spec.variant, resolved.spec.arch) == ("aws-k8s-1.29", Architecture.X86_64)


@pytest.mark.parametrize("flags", [{"repack.image": Path("x.img")}, {"repack.release": "1.50.0"}])
def test_a_variant_that_is_not_shipped_needs_no_release_where_there_is_an_image(flags: dict[str, object]) -> None:
    wanted = {"variant": "aws-k8s-1.99", "build.engine": "repack", **flags}
    assert resolve(wanted, None).spec.upstream.ref is None
    with pytest.raises(ConfigurationError, match="no default release"):
        resolve({**wanted, "build.engine": "source"}, None)


def test_a_variant_without_any_name() -> None:
    with pytest.raises(ConfigurationError) as caught:
        resolve({"repack.image": Path("x.img"), "build.engine": "repack"}, None)
    assert "not called as upstream calls it" in caught.value.why
