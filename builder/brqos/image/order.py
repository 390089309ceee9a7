"""What upstream's build is asked for: the command line of one `cargo make`, and nothing that has an effect.

Upstream's Makefile.toml takes every setting as `-e KEY=VALUE` before the task's name; the default task builds the
variant. These flags win over the file's own values and over the environment, and twoliter hands them on to its inner
`cargo make` (tried with cargo-make 0.37 on the Makefile.toml of v1.21.0 and v1.50.0). A signing profile outside the
tree is named by its parent folder, BUILDSYS_SBKEYS_DIR, and its own name, BUILDSYS_SBKEYS_PROFILE (upstream's
sbkeys/README.md).
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from brqos.architecture import Architecture
from brqos.errors import ConfigurationError
from brqos.process import command_line

CARGO_MAKE = ("cargo", "make")
LOCAL_PROFILE = "local"
HIDDEN = "***"

_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
# Upstream splits its docker arguments at spaces and BuildKit its secrets at commas, so such a path cannot work there.
_PLAIN_PATH = re.compile(r"[\w./@+~:-]+")
_SECRET_KEY = re.compile(r"SECRET|TOKEN|PASSW|CREDENTIAL|PRIVATE|ACCESS_KEY|API_KEY|AUTH", re.IGNORECASE)
_LOGIN_IN_URL = re.compile(r"(?<=://)[^/@\s]+(?=@)")

# What brqos sets itself, and what to use instead.
_OWN = {
    "BUILDSYS_VARIANT": "Use --variant.",
    "BUILDSYS_ARCH": "Use --arch.",
    "BUILDSYS_JOBS": "Use --jobs.",
    "BUILDSYS_PRETTY_NAME": "Use --pretty-name.",
    "BUILDSYS_SBKEYS_DIR": "Use --sbkeys-profile with the folder of the profile.",
    "BUILDSYS_SBKEYS_PROFILE": "Use --sbkeys-profile with the folder of the profile.",
    "BUILDSYS_SBKEYS_PROFILE_DIR": "Use --sbkeys-profile with the folder of the profile.",
}
# By these names and folders brqos finds the images afterwards.
_LAYOUT = frozenset(
    f"BUILDSYS_{name}"
    for name in [
        "ROOT_DIR",
        "BUILD_DIR",
        "IMAGES_DIR",
        "OUTPUT_DIR",
        "VARIANT_DIR",
        "NAME",
        "NAME_VARIANT",
        "NAME_VERSION",
        "NAME_FULL",
        "VERSION_IMAGE",
        "VERSION_BUILD",
        "VERSION_FULL",
        "RELEASE_CONFIG_PATH",
    ]
)
# Kits' metadata and twoliter's version have to match (Makefile.toml pins it); twoliter itself refuses the other four.
_PINNED = frozenset(
    {
        "TWOLITER_VERSION",
        "BUILDSYS_SDK_NAME",
        "BUILDSYS_SDK_VERSION",
        "BUILDSYS_REGISTRY",
        "BUILDSYS_OUTPUT_GENERATION_ID",
    }
)


@dataclass(frozen=True, slots=True)
class BuildOrder:
    """One build of one variant for one architecture in one work tree.

    `variant` is the name to build (`aws-k8s-1.29-memoryqos`); `sbkeys_profile` the folder of a signing profile, or
    None for the one that upstream makes in the tree; `program` is replaced in a rehearsal. `mirrors` are settings that
    say where things are fetched from, and `variables` of the environment do the same for git: neither is part of what
    is built. Raises ConfigurationError for a `make_env` that is not for the user to set, and for paths that upstream's
    scripts cannot take.
    """

    work_tree: Path
    variant: str
    arch: Architecture
    jobs: int | None = None
    pretty_name: str | None = None
    sbkeys_profile: Path | None = None
    make_env: Mapping[str, str] = field(default_factory=dict)
    mirrors: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    program: tuple[str, ...] = CARGO_MAKE

    def __post_init__(self) -> None:
        for key, value in self.make_env.items():
            _check_make_env(key, value)
        for key in self.mirrors.keys() & self.make_env.keys():
            raise ConfigurationError(
                f"{key} is in make-env, and [mirrors] says it, too",
                why="Two places would say where the build fetches from.",
                todo="Keep one of them.",
            )
        _check_path("the work tree", self.work_tree, "Choose another cache folder, by BRQOS_CACHE_DIR.")
        if self.sbkeys_profile is not None:
            _check_path("the signing profile", self.sbkeys_profile, "Move the profile.")

    @property
    def argv(self) -> tuple[str, ...]:
        """The whole command, to be run in the work tree, with `environment`."""
        settings = ((key, value) for key, value in self._settings() if key not in self.environment)
        return (*self.program, *(word for key, value in settings for word in ("-e", f"{key}={value}")))

    @property
    def environment(self) -> dict[str, str]:
        """Settings that look like secrets: other users of the machine can read a command line, but no environment.

        And the variables that say where git fetches from.
        """
        secret = {
            key: value for key, value in self.make_env.items() if _SECRET_KEY.search(key) or _LOGIN_IN_URL.search(value)
        }
        return {**self.variables, **secret}

    @property
    def profile_folder(self) -> Path:
        """Where the signing profile of this build is, or will be once upstream has made it."""
        return self.sbkeys_profile.absolute() if self.sbkeys_profile else self.work_tree / "sbkeys" / LOCAL_PROFILE

    @property
    def secrets(self) -> tuple[str, ...]:
        """The values, or parts of values, that may not be printed."""
        whole = (value for key, value in self.make_env.items() if value and _SECRET_KEY.search(key))
        logins = (login for value in self.make_env.values() for login in _LOGIN_IN_URL.findall(value))
        return tuple(dict.fromkeys((*whole, *logins)))

    @property
    def shown(self) -> str:
        """The command as a person would type it, with the values of secrets hidden."""
        variables = [f"{key}={_LOGIN_IN_URL.sub(HIDDEN, value)}" for key, value in self.variables.items()]
        return command_line(
            [*variables, *self.program, *(word for pair in self._settings() for word in ("-e", _shown(*pair)))]
        )

    def without_secrets(self, line: str) -> str:
        """A line of the build's output, fit to be kept."""
        for secret in self.secrets:
            line = line.replace(secret, HIDDEN)
        return line

    def _settings(self) -> Iterator[tuple[str, str]]:
        yield "BUILDSYS_VARIANT", self.variant
        yield "BUILDSYS_ARCH", self.arch.value
        if self.jobs is not None:
            yield "BUILDSYS_JOBS", str(self.jobs)
        if self.sbkeys_profile is not None:
            yield "BUILDSYS_SBKEYS_DIR", str(self.profile_folder.parent)
        # Upstream reads this one from the environment where it is not given: then another profile than the one we tell
        # the user about would be used.
        yield "BUILDSYS_SBKEYS_PROFILE", self.profile_folder.name
        if self.pretty_name is not None:
            yield "BUILDSYS_PRETTY_NAME", self.pretty_name
        yield from self.mirrors.items()
        yield from self.make_env.items()


def _shown(key: str, value: str) -> str:
    return f"{key}={HIDDEN if _SECRET_KEY.search(key) else _LOGIN_IN_URL.sub(HIDDEN, value)}"


def _check_make_env(key: str, value: str) -> None:
    if not _KEY.fullmatch(key):
        raise ConfigurationError(
            f"“{key}” in make-env is not the name of a variable",
            why="A name has letters, digits and underscores, and does not begin with a digit.",
            todo="Write --make-env NAME=VALUE, for example --make-env BUILDSYS_UPSTREAM_SOURCE_FALLBACK=true.",
        )
    if any(character in value for character in "\0\r\n"):
        raise ConfigurationError(
            f"the value of {key} in make-env has a line break", why="cargo make takes one line per variable."
        )
    if key in _OWN:
        raise ConfigurationError(f"{key} in make-env is set by brqos itself", todo=_OWN[key])
    if key in _LAYOUT:
        raise ConfigurationError(
            f"{key} in make-env cannot be changed",
            why="It decides where upstream puts the images and what they are called; brqos finds them by that.",
            todo="Leave it out.",
        )
    if key in _PINNED:
        raise ConfigurationError(
            f"{key} in make-env cannot be changed",
            why="The release pins it, and its kits go with no other; Twoliter.toml and Makefile.toml are not touched.",
            todo="Leave it out, or build another release with --ref.",
        )


def _check_path(what: str, path: Path, todo: str) -> None:
    if not _PLAIN_PATH.fullmatch(str(path.absolute())):
        raise ConfigurationError(
            f"{what} is at “{path}”, a path that upstream's build cannot take",
            why="Its scripts split at spaces, commas and quotes.",
            todo=todo,
        )
