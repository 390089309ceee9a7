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


@pytest.mark.parametrize("command", ["github", "gitlab"])
def test_no_word_of_the_help_is_lost(command: str) -> None:
    printed = CliRunner().invoke(app, ["pipeline", command, "--help"], env={"COLUMNS": "500"}).stdout
    found = get_command(app).commands["pipeline"].commands[command]  # type: ignore[attr-defined]
    texts = [found.help, *(option.help for option in found.params), *(option.metavar or "" for option in found.params)]
    assert {word for text in texts for word in text.split()} <= set(printed.split())
