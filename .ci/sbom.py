"""Write the SBOM (CycloneDX) of a wheel and all that it needs at run time: ``sbom.py WHEEL CONSTRAINTS FILE``.

What the wheel needs is installed into an environment of its own, in the versions of the constraints: those that the tests ran with.
cyclonedx-py reads that environment, and checks the file by CycloneDX's schema, which takes some 20 s.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

UV = str(Path(sys.executable).with_name("uv"))
# In an environment of its own, as twine in .ci/release. Without --output-reproducible: GitHub attests only an SBOM with a serial number.
CYCLONEDX = [UV, "tool", "run", "--quiet", "--exclude-newer", "2026-09-18T00:00:00Z", "--from", "cyclonedx-bom==7.4.0", "cyclonedx-py"]


def main(wheel: str, constraints: str, file: str) -> None:
    """Write the file, or stop and say what is wrong with it."""
    (package,) = distributions(path=[wheel])
    needed = [line for line in package.requires or [] if "extra ==" not in line]
    Path(file).parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        python = f"{folder}/env/bin/python"
        about = Path(folder, "pyproject.toml")
        about.write_text(_pyproject(package, needed))
        _run(UV, "venv", "--quiet", "--python", sys.executable, f"{folder}/env")
        _run(UV, "pip", "install", "--quiet", "--python", python, "--constraint", constraints, *needed)
        _run(*CYCLONEDX, "environment", "--mc-type", "library", "--pyproject", str(about), "--output-file", file, python)
    sbom = json.loads(Path(file).read_text())
    wrong = _wrong(sbom, package, needed, Path(constraints))
    if wrong:
        raise SystemExit(f"{file}: {'; '.join(wrong)}.")
    print(f"{file}: {package.name} {package.version}, and the {len(sbom['components'])} packages that it needs.")


def _pyproject(package: Distribution, needed: list[str]) -> str:
    """Return what cyclonedx-py knows of the wheel itself. Read from the environment, it would need the extras too."""
    about = {
        "name": package.name,
        "version": package.version,
        "description": package.metadata["Summary"],
        "license": package.metadata["License-Expression"],
        "dependencies": needed,
    }
    # strings and lists of strings are the same in JSON and in TOML
    return "\n".join(["[project]", *(f"{key} = {json.dumps(value)}" for key, value in about.items())])


def _run(*command: str) -> None:
    subprocess.run(command, check=True)


def _wrong(sbom: dict[str, Any], package: Distribution, needed: list[str], constraints: Path) -> list[str]:
    """Return what the schema does not know: whether this is the package, with all that it needs and nothing else."""
    pins = dict(line.split("==") for line in constraints.read_text().splitlines())
    root = sbom["metadata"]["component"]
    found = {canonicalize_name(component["name"]): component["version"] for component in sbom["components"]}
    (direct,) = (
        [ref.partition("==")[0] for ref in entry.get("dependsOn", [])] for entry in sbom["dependencies"] if entry["ref"] == root["bom-ref"]
    )
    wrong = [f"{name} {version} is not in {constraints}" for name, version in found.items() if pins.get(name) != version]
    if (root["name"], root["version"]) != (package.name, package.version):
        wrong.append(f"it is about {root['name']} {root['version']}")
    if {canonicalize_name(name) for name in direct} != {canonicalize_name(Requirement(line).name) for line in needed}:
        wrong.append(f"the package needs {needed}, not {direct}")
    return wrong


if __name__ == "__main__":
    main(*sys.argv[1:])
