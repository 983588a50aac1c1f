"""Refuse a runtime dependency, of nodes or of the page, whose licence Corral, being Apache-2.0, must not build on."""

from __future__ import annotations

import json
import re
import sys
from importlib import metadata
from pathlib import Path

# Permissive licences, by SPDX identifier and by the names that older packages write.
ALLOWED = frozenset(
    {
        "0BSD", "APACHE-2.0", "BSD-2-CLAUSE", "BSD-3-CLAUSE", "ISC", "MIT", "MIT-0", "MPL-2.0", "PSF-2.0",
        "PYTHON-2.0", "UNLICENSE", "ZLIB",
        "APACHE LICENSE 2.0", "APACHE SOFTWARE LICENSE", "BSD LICENSE", "BSD", "MIT LICENSE", "ISC LICENSE (ISCL)",
        "MOZILLA PUBLIC LICENSE 2.0 (MPL 2.0)", "PYTHON SOFTWARE FOUNDATION LICENSE", "3-CLAUSE BSD LICENSE",
    }
)  # fmt: skip


def locked(lock: Path) -> list[str]:
    """Names of the packages pinned in a requirements file."""
    return re.findall(r"^([A-Za-z0-9_.-]+)==", lock.read_text(), re.MULTILINE)


def licences(package: str) -> list[str]:
    """What the installed package says of its licence: an SPDX expression, else classifiers, else free text."""
    about = metadata.metadata(package)
    if "License-Expression" in about:
        return [about["License-Expression"]]
    named = [line.rsplit(" :: ", 1)[1] for line in about.get_all("Classifier", []) if line.startswith("License :: ")]
    named = [name for name in named if name != "OSI Approved"]
    return named or [line for text in about.get_all("License", []) for line in text.splitlines()[:1]] or ["none stated"]


def acceptable(expression: str) -> bool:
    """Whether one way to read the expression has only allowed licences (`A OR B`: a choice; `A AND B`: both hold)."""
    plain = expression.upper().replace("(", " ( ").replace(")", " ) ")
    if " ".join(expression.upper().split()) in ALLOWED:
        return True
    choices = re.split(r"\s+OR\s+", plain.replace("(", " ").replace(")", " "))
    return any(all(part.strip() in ALLOWED for part in re.split(r"\s+AND\s+", choice)) for choice in choices)


def of_the_page(lock: Path) -> dict[str, str]:
    """The packages that the built page is made of, with their licences, as npm's lock file says."""
    packages = json.loads(lock.read_text())["packages"]
    return {
        path.rpartition("node_modules/")[2]: entry.get("license", "none stated")
        for path, entry in packages.items()
        if path and not entry.get("dev")
    }


def main() -> int:
    """Print each package that is not allowed; 1 if there is one."""
    bad = 0
    root = Path(__file__).parent.parent
    for package, stated_one in of_the_page(root / "web" / "package-lock.json").items():
        if not acceptable(stated_one):
            print(f"{package}: {stated_one} is not on the list of allowed licences")
            bad = 1
    for package in locked(root / "requirements.lock"):
        try:
            stated = licences(package)
        except metadata.PackageNotFoundError:
            continue  # pinned for another Python or platform
        if not any(acceptable(one) for one in stated):
            print(f"{package}: {' / '.join(stated)} is not on the list of allowed licences")
            bad = 1
    return bad


if __name__ == "__main__":
    sys.exit(main())
