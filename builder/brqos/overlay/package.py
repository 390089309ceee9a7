"""The local package `kubelet-memory-qos`: its RPM spec and its payload."""

from dataclasses import dataclass

from brqos.overlay.model import FileOperation, Operation
from brqos.rendering import render
from brqos.variant import VariantName

PACKAGE = "kubelet-memory-qos"


@dataclass(frozen=True, slots=True)
class PayloadFile:
    """A file of the package: `source` in the package's folder, installed as `directory`/`installed_as`.

    `directory` is written with the SDK's RPM macros; `owns_directory` where no other package has it.
    """

    source: str
    content: str
    directory: str
    installed_as: str
    owns_directory: bool
    why: str


def package_files(variant: VariantName, payload: tuple[PayloadFile, ...]) -> list[FileOperation]:
    """The folder `packages/kubelet-memory-qos` (every file in it becomes an RPM source)."""
    directory = f"packages/{PACKAGE}"
    sources = [
        {
            "name": file.source,
            "directory": file.directory,
            "installed_as": file.installed_as,
            "owns_directory": file.owns_directory,
        }
        for file in payload
    ]
    spec = render(f"{PACKAGE}.spec", variant=variant.memory_qos, sources=sources)
    return [
        FileOperation(
            f"{directory}/Cargo.toml",
            Operation.CREATE,
            render(f"{PACKAGE}.Cargo.toml"),
            "makes the package known to cargo, which drives upstream's build",
        ),
        FileOperation(f"{directory}/{PACKAGE}.spec", Operation.CREATE, spec, "builds the package"),
        *(FileOperation(f"{directory}/{file.source}", Operation.CREATE, file.content, file.why) for file in payload),
    ]
