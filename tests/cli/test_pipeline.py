import json
from pathlib import Path

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from brqos.cli.main import app
from fleet.pipelines.cases import REPACK, ROLE
from pipeline.repack_images import Images
from pipeline.repack_images import images as images

ROOT = Path(__file__).parents[2]
GITHUB = ".github/workflows/brqos.yml"


@pytest.fixture
def repack(tmp_path: Path) -> Path:
    path = tmp_path / "brqos.toml"
    path.write_text(REPACK)
    return path


def test_it_is_written_once_and_never_over_a_change(brqos, repack: Path, tmp_path: Path) -> None:
    words = ("pipeline", "github", "--role-arn", ROLE)
    first = brqos(*words)
    assert first.out == f"{GITHUB} (created)\n"
    assert "required reviewers" in first.err
    assert brqos(*words).out == f"{GITHUB} (unchanged)\n"
    (tmp_path / GITHUB).write_text("name: mine\n")
    assert "other content" in brqos(*words, code=3).err
    assert (tmp_path / GITHUB).read_text() == "name: mine\n"
    assert brqos(*words, "--force").out == f"{GITHUB} (replaced)\n"


def test_the_file_says_how_it_was_written(brqos, repack: Path) -> None:
    words = ("--role-arn", ROLE, "--schedule", "5 4 * * SUN", "--promote", "after-verify", "--brqos", "brqos==9")
    first = brqos("pipeline", "github", *words, "--output", "a.yml").out
    assert first == "a.yml (created)\n"
    line = Path("a.yml").read_text().splitlines()[1].removeprefix("#   ")
    assert "--schedule '5 4 * * SUN'" in line
    import shlex

    assert brqos(*shlex.split(line)[1:]).out == "a.yml (unchanged)\n"


def test_to_standard_output(brqos, repack: Path, tmp_path: Path) -> None:
    text = brqos("pipeline", "gitlab", "--role-arn", ROLE, "--host", "git.example.com", "--output", "-").out
    assert "aud: https://git.example.com" in text
    assert [path.name for path in tmp_path.iterdir()] == ["brqos.toml"]


def test_json(brqos, repack: Path) -> None:
    found = brqos("pipeline", "gitlab", "--role-arn", ROLE, "--json").json
    assert (found["file"], found["status"]) == ("brqos.gitlab-ci.yml", "created")
    assert found["jobs"][0] == "matrix"
    assert found["text"] == Path("brqos.gitlab-ci.yml").read_text()


def test_explain_writes_nothing(brqos, repack: Path, tmp_path: Path) -> None:
    text = brqos("pipeline", "github", "--role-arn", ROLE, "--explain").out
    assert text.startswith("matrix: ")
    assert "Before the first run" in text
    assert brqos("pipeline", "github", "--role-arn", ROLE, "--explain", "--json").json["status"] is None
    assert not (tmp_path / ".github").exists()


def test_iam(brqos, repack: Path) -> None:
    words = ("pipeline", "github", "--role-arn", ROLE, "--iam")
    assert "--repository" in brqos(*words, code=2).err
    ran = brqos(*words, "--repository", "example/images")
    assert set(ran.json) == {"brqos-permissions.json", "brqos-trust.json"}
    assert "CopyImages" in ran.err
    brqos(*words, "--repository", "example/images", "--output-dir", "iam")
    assert json.loads(Path("iam/brqos-trust.json").read_text()) == ran.json["brqos-trust.json"]
    assert "other content" in brqos(*words, "--repository", "example/other", "--output-dir", "iam", code=3).err


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--schedule", "weekly"), 3, "no cron expression"),
        (("--role-arn", "me"), 3, "not the ARN of a role"),
        ((), 2, "no role is given"),
        (("--iam", "--rehearse"), 2, "--iam goes together"),
        (("--output-dir", "x"), 2, "is about --iam"),
        (("--config", "none.toml"), 3, "none.toml"),
        (("--config", "brqos.toml", "--config", "brqos.toml"), 3, "given twice"),
        (("--promote", "maybe"), 2, "by-hand"),
    ],
)
def test_what_is_refused(brqos, repack: Path, words: tuple[str, ...], code: int, said: str) -> None:
    assert said in brqos("pipeline", "github", *words, code=code).err
    assert not Path(".github").exists()


def test_iam_without_regions(brqos, tmp_path: Path) -> None:
    (tmp_path / "brqos.toml").write_text('variant = "aws-k8s-1.34"\n')
    words = ("--iam", "--role-arn", ROLE, "--repository", "a/b", "--runner", "big")
    assert "nothing is published" in brqos("pipeline", "github", *words, code=2).err


@pytest.mark.processes
def test_what_is_built_without_a_login_is_published_by_the_same_file(brqos, images: Images, tmp_path: Path) -> None:
    image = images.copied(tmp_path / "in")
    regions = '[ami]\nregions = ["eu-central-1", "us-east-1"]\nssm-prefix = "/images"\npromote = true\n'
    repack = f'[build]\nengine = "repack"\n[repack]\nunsigned = true\nimage = "{image.os_image}"\n'
    (tmp_path / "brqos.toml").write_text(f'variant = "aws-k8s-1.29"\narch = "x86_64"\n{repack}{regions}')
    result = brqos("build", "--image-only", "--config", "brqos.toml", "--json").json
    assert result["amis"] == {}
    assert json.loads(Path(result["record"]).read_text())["spec"]["ami"]["regions"] == []
    words = ("register", "--config", "brqos.toml", "--record", result["record"], "--dry-run")
    plan = brqos(*words, "--no-promote").out
    assert "eu-central-1" in plan
    assert "us-east-1" in plan
    assert "latest" not in plan
    assert "latest" in brqos(*words, "--promote").out


def test_an_image_alone_has_no_region_and_no_cluster(brqos, repack: Path) -> None:
    for words in (("--region", "eu-central-1"), ("--cluster", "prod")):
        assert "--image-only does not go together with" in brqos("build", "--image-only", *words, code=2).err


def test_the_repositorys_own_pipeline_is_up_to_date(brqos, monkeypatch: pytest.MonkeyPatch) -> None:
    if not (ROOT / GITHUB).is_file():
        pytest.skip("this is no clone of the repository")
    monkeypatch.chdir(ROOT)
    text = (ROOT / GITHUB).read_text()
    words = ("--config", ".github/workflows/brqos.toml", "--rehearse")
    assert brqos("pipeline", "github", *words, "--json", "--explain").json["text"] == text, (
        "write it anew: scripts/brqos pipeline github --force " + " ".join(words)
    )


def test_codebuild(brqos, repack: Path) -> None:
    words = ("pipeline", "codebuild", "--account", "111122223333")
    first = brqos(*words)
    assert first.out == "brqos.codebuild.yml (created)\n"
    assert "cloudformation deploy" in first.err
    line = Path("brqos.codebuild.yml").read_text().splitlines()[1].removeprefix("#   ")
    assert line == "brqos pipeline codebuild"
    assert brqos(*words).out == "brqos.codebuild.yml (unchanged)\n"
    found = brqos(*words, "--json").json
    assert found["jobs"] == ["plan", "build", "register", "verify", "promote", "watch"]
    assert found["text"] == Path("brqos.codebuild.yml").read_text()
    policies = brqos(*words, "--iam")
    assert "CopyImages" in policies.err
    assert set(policies.json) >= {"brqos-publish-permissions.json", "brqos-build-trust.json"}
    assert "make two of it" not in policies.err


def test_codebuild_says_how_it_was_written(brqos, repack: Path) -> None:
    arn = "arn:aws:codeconnections:eu-central-1:111122223333:connection/01234567-89ab-cdef-0123-456789abcdef"
    words = ("--connection", arn, "--repository", "a/b", "--image", "registry.example.com/brqos:1")
    brqos("pipeline", "codebuild", *words, "--promote", "never", "--output", "a.yml")
    line = Path("a.yml").read_text().splitlines()[1].removeprefix("#   ")
    import shlex

    assert brqos(*shlex.split(line)[1:]).out == "a.yml (unchanged)\n"
    assert "pip" not in Path("a.yml").read_text().replace("pipeline", "")


def test_codebuild_takes_image_and_size_from_the_file(brqos, repack: Path) -> None:
    repack.write_text(
        REPACK.replace('engine = "repack"', 'engine = "source"')
        + '[codebuild]\nimage = "registry.example.com/brqos:1"\nbrqos-in-image = true\ncompute = "xlarge"\n'
    )
    text = brqos("pipeline", "codebuild", "--output", "-").out
    assert "Image: registry.example.com/brqos:1" in text
    assert "compute-type: BUILD_GENERAL1_XLARGE" in text
    assert "pip" not in text.replace("pipeline", "")


def test_gitlab_in_an_image(brqos, repack: Path) -> None:
    words = ("pipeline", "gitlab", "--role-arn", ROLE, "--image", "registry.example.com/brqos:1", "--output", "-")
    text = brqos(*words).out
    assert 'image: { name: "registry.example.com/brqos:1", entrypoint: [""] }' in text
    assert "pip install" not in text
    assert "apt-get" not in text


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--connection", "x", "--repository", "a/b"), 3, "not the ARN of a connection"),
        (("--schedule", "0 0 1 * 1"), 3, "days of the week"),
        (("--image", "a b"), 3, "wrong form"),
        (("--iam", "--rehearse"), 2, "--iam goes together"),
        (("--account", "1"), 3, "12 digits"),
    ],
)
def test_what_codebuild_refuses(brqos, repack: Path, words: tuple[str, ...], code: int, said: str) -> None:
    assert said in brqos("pipeline", "codebuild", *words, code=code).err
    assert not Path("brqos.codebuild.yml").exists()


@pytest.mark.parametrize("command", ["github", "gitlab", "codebuild"])
def test_no_word_of_the_help_is_lost(command: str) -> None:
    printed = CliRunner().invoke(app, ["pipeline", command, "--help"], env={"COLUMNS": "500"}).stdout
    found = get_command(app).commands["pipeline"].commands[command]  # type: ignore[attr-defined]
    texts = [found.help, *(option.help for option in found.params), *(option.metavar or "" for option in found.params)]
    assert {word for text in texts for word in text.split()} <= set(printed.split())


def test_container(brqos, tmp_path: Path) -> None:
    ran = brqos("pipeline", "container")
    names = ["Containerfile", "Containerfile.dockerignore", "requirements.lock"]
    assert ran.out == "".join(f"brqos-container/{name} (created)\n" for name in names)
    assert "docker build --file brqos-container/Containerfile --build-arg BRQOS=brqos==" in ran.err
    assert sorted(path.name for path in (tmp_path / "brqos-container").iterdir()) == names
    found = brqos("pipeline", "container", "--brqos", "brqos==9", "--json").json
    assert set(found["files"].values()) == {"unchanged"}
    assert "BRQOS=brqos==9" in found["command"]


def test_a_recipe_that_was_changed_is_left_alone_and_so_is_the_rest(brqos, tmp_path: Path) -> None:
    folder = tmp_path / "x"
    folder.mkdir()
    (folder / "requirements.lock").write_text("mine\n")
    assert "other content" in brqos("pipeline", "container", "--output-dir", "x", code=3).err
    assert [path.name for path in folder.iterdir()] == ["requirements.lock"]
    brqos("pipeline", "container", "--output-dir", "x", "--force")
    assert len(list(folder.iterdir())) == 3
    assert "wrong form" in brqos("pipeline", "container", "--brqos", "a; b", code=3).err
