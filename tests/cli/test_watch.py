"""`brqos watch`, as cron and people call it."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from brqos.errors import ExitCode
from brqos.rehearsal.miniature import Layout, bottlerocket
from brqos.upstream.git import git
from fleet.history import RELEASES, History, add_release

pytestmark = pytest.mark.processes


def only(ran) -> dict:
    (found,) = ran.json["variants"]
    return found


def test_the_json_that_scripts_rely_on(brqos, configured, history: History) -> None:
    configured("aws-k8s-1.29", "v1.36.0")
    ran = brqos("watch", "--json")
    assert set(ran.json) == {"upstream", "day", "newest", "behind", "eks_table", "variants", "failed", "bump"}
    assert ran.json["newest"] == {"release": "v1.66.0", "commit": history.commits["v1.66.0"], "day": "2026-09-10"}
    assert ran.json["behind"] is True
    assert ran.json["bump"] is None
    found = only(ran)
    assert set(found) == {
        "variant", "kubernetes", "pin", "newest", "behind", "releases_behind", "days_behind", "upstream_end_of_life",
        "eks", "security", "changelog", "change", "unplanned",
    }  # fmt: skip
    assert found["pin"] == {
        "ref": "v1.36.0",
        "key": "upstream.ref",
        "origin": "brqos.toml",
        "release": "v1.36.0",
        "commit": history.commits["v1.36.0"],
        "day": "2025-04-15",
    }
    assert found["newest"]["release"] == "v1.50.0"
    assert (found["releases_behind"], found["days_behind"]) == (1, 204)
    assert found["upstream_end_of_life"] == {"last_release": "v1.50.0", "gone_in": "v1.66.0", "day": "2026-09-10"}
    assert found["eks"]["extended_until"] == "2026-03-23"
    assert [entry["release"] for entry in found["security"]] == ["v1.50.0"]
    assert found["changelog"] == [
        {
            "release": "v1.50.0",
            "day": "2025-11-06",
            "headings": [{"heading": "Release Highlights", "entries": 1}, {"heading": "OS Changes", "entries": 3}],
        }
    ]
    assert found["change"]["delivery"] == {"from": "template", "to": "drop-in", "changed": True}
    assert found["change"]["kubelet_configuration"]["changed"] is False
    assert all("diff" not in file for file in found["change"]["files"])
    assert found["unplanned"] is None


def test_people_get_a_table_and_security_first(brqos, configured) -> None:
    configured()
    out = brqos("watch").out
    assert "aws-k8s-1.34  v1.50.0  v1.66.0  1 release, 309 days  carried" in out
    assert out.index("v1.66.0: Patch runc once more") < out.index("v1.66.0 (2026-09-12): Security Fixes 1")
    assert "delivery drop-in as before, core kit 10.9.0 -> 17.0.0, the same kubelet settings" in out
    assert "kubernetes-versions.html" in out


@pytest.mark.parametrize(
    ("day", "told"),
    [
        ((2026, 12, 1), "standard until 2026-12-02"),
        ((2026, 12, 2), "extended until 2027-12-02"),
        ((2027, 12, 2), "ended on 2027-12-02"),
    ],
)
def test_what_eks_gives_depends_on_the_day(brqos, configured, monkeypatch, day, told: str) -> None:
    class Fixed(datetime):
        @classmethod
        def now(cls, tz=None) -> datetime:
            return datetime(*day, 12, tzinfo=UTC)

    monkeypatch.setattr("datetime.datetime", Fixed)
    configured()
    assert told in brqos("watch").out


def test_a_kubernetes_that_the_table_lacks_is_unknown(brqos, configured) -> None:
    configured("aws-k8s-1.37", "v1.66.0")
    found = only(brqos("watch", "--json"))
    assert found["eks"] == {"support": "unknown", "standard_until": None, "extended_until": None}
    assert (found["behind"], found["change"], found["changelog"]) == (False, None, [])


def test_the_exit_code_is_for_cron_and_only_on_request(brqos, configured) -> None:
    configured()
    assert ExitCode.BEHIND == 11
    brqos("watch", code=0)
    assert "1 release" in brqos("watch", "--exit-code", code=11).out
    assert brqos("watch", "--exit-code", "--json", code=11).json["behind"] is True
    configured(ref="v1.66.0")
    assert "newest" in brqos("watch", "--exit-code", code=0).out
    # Nothing newer can be built, so nothing is behind; that it was dropped is told.
    configured("aws-k8s-1.29")
    assert "dropped in v1.66.0" in brqos("watch", "--exit-code", code=0).out


def test_variants_that_are_named_take_the_pin_of_the_file(brqos, configured) -> None:
    configured()
    ran = brqos("watch", "--variant", "aws-k8s-1.33-memoryqos", "--variant", "aws-k8s-1.30", "--json")
    assert [(one["variant"], one["pin"]["ref"]) for one in ran.json["variants"]] == [
        ("aws-k8s-1.33", "v1.50.0"),
        ("aws-k8s-1.30", "v1.50.0"),
    ]


def test_a_matrix_is_watched_as_a_whole_less_what_it_leaves_out(brqos, configured) -> None:
    configured(
        more='[matrix]\nvariants = ["aws-k8s-1.30", "aws-k8s-1.34", "aws-k8s-1.34-fips"]\n'
        'exclude = [{ variant = "aws-k8s-1.34-fips" }, { variant = "aws-k8s-1.30", arch = "arm64" }]\n'
    )
    assert [one["variant"] for one in brqos("watch", "--json").json["variants"]] == ["aws-k8s-1.30", "aws-k8s-1.34"]


def test_without_a_file_the_shipped_pins_are_watched(brqos, history: History) -> None:
    ran = brqos("watch", "--upstream", history.bottlerocket, "--core-kit", history.core_kit, "--json", code=0)
    found = {one["variant"]: one for one in ran.json["variants"]}
    assert {"aws-k8s-1.28", "aws-k8s-1.29-fips", "aws-k8s-1.37-nvidia"} <= set(found)
    assert found["aws-k8s-1.29"]["pin"]["origin"] == "variants/aws-k8s-1.29.toml"


def test_one_variant_that_cannot_be_told_does_not_hide_the_others(brqos, configured) -> None:
    configured(ref="v1.36.0")
    words = ["watch", "--variant", "aws-k8s-1.34", "--variant", "aws-k8s-1.29"]
    ran = brqos(*words, "--json", code=3)
    assert [one["variant"] for one in ran.json["variants"]] == ["aws-k8s-1.29"]
    assert [one["variant"] for one in ran.json["failed"]] == ["aws-k8s-1.34"]
    assert "has no variant aws-k8s-1.34" in ran.err
    ran = brqos(*words, "--variant", "aws-k8s-1.34-fips", code=3)
    assert "cannot be told" in ran.out
    assert "nothing can be told about 2 of 3 variants" in ran.err


def test_a_pin_that_is_not_there(brqos, configured) -> None:
    configured(ref="v1.51.0")
    assert "Its newest tags are" in brqos("watch", code=5).err


def test_a_branch_and_a_commit_are_of_the_release_that_their_tree_says(brqos, configured, history: History) -> None:
    configured(ref=history.commits["v1.50.0"][:12])
    assert only(brqos("watch", "--json"))["pin"]["release"] == "v1.50.0"
    configured(ref="develop")
    found = only(brqos("watch", "--json"))
    assert (found["pin"]["release"], found["behind"]) == ("v1.66.0", False)


def test_a_release_of_the_repack_engine_is_a_pin_too(brqos, configured) -> None:
    path = configured(ref=None, more='[build]\nengine = "repack"\n\n[repack]\nrelease = "1.50.0" # ours\n')
    found = only(brqos("watch", "--json"))
    assert (found["pin"]["key"], found["pin"]["ref"], found["releases_behind"]) == ("repack.release", "v1.50.0", 1)
    before = path.read_text()
    brqos("watch", "--bump", "--yes")
    assert path.read_text() == before.replace("1.50.0", "1.66.0")
    configured(more='[build]\nengine = "repack"\n\n[repack]\nrelease = "newest"\n')
    assert "is not pinned" in brqos("watch", code=3).err


def test_what_cannot_be_planned_is_told_and_never_written(brqos, configured, history: History, tmp_path: Path) -> None:
    path = configured()
    broken = tmp_path / "broken"
    git("clone", "--quiet", "--bare", history.bottlerocket, broken)
    tree = bottlerocket(Layout.NATIVE, release="1.70.0")
    del tree["packages/settings-defaults/settings-defaults.spec"]
    add_release(broken, tree, "v1.70.0", "2026-10-01")
    before = path.read_text().replace(str(history.bottlerocket), str(broken))
    path.write_text(before)
    ran = brqos("watch", "--json")
    assert only(ran)["newest"]["release"] == "v1.70.0"
    assert "settings-defaults.spec" in only(ran)["unplanned"]
    assert "cannot be told" in brqos("watch").out
    assert "settings-defaults.spec" in brqos("watch", "--bump", "--yes", code=5).err
    assert path.read_text() == before


def test_a_remote_repository_is_fetched_and_offline_is_not(brqos, history: History, tmp_path: Path) -> None:
    remote = tmp_path / "remote"
    git("clone", "--quiet", "--bare", history.bottlerocket, remote)
    words = ["watch", "--variant", "aws-k8s-1.34", "--upstream", remote.as_uri(), "--core-kit", history.core_kit]
    brqos(*words, "--offline", code=5)
    assert brqos(*words, "--json").json["newest"]["release"] == "v1.66.0"
    add_release(remote, bottlerocket(Layout.NATIVE, release="1.66.1"), "v1.66.1", "2026-09-20")
    assert brqos(*words, "--offline", "--json").json["newest"]["release"] == "v1.66.0"
    assert brqos(*words, "--json").json["newest"]["release"] == "v1.66.1"


def test_a_repository_without_tags_is_refused(brqos, miniature, tmp_path: Path) -> None:
    bare = tmp_path / "bare"
    git("clone", "--quiet", "--bare", "--no-tags", miniature(Layout.DROP_IN).bottlerocket, bare)
    assert "no tags of releases" in brqos("watch", "--variant", "aws-k8s-1.34", "--upstream", bare, code=5).err


def test_every_tagged_release_is_a_pin(brqos, configured) -> None:
    for layout, release, _ in RELEASES:
        configured(layout.variants[0].base, f"v{release}")
        assert only(brqos("watch", "--json"))["pin"]["release"] == f"v{release}"
