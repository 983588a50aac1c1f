"""The real libpam: our conversation is understood, and a refusal is one."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from corral.access.realms.pam import LibPam, Pam
from corral.core.secret import Secret

MODULES = [
    path for path in ("/lib/x86_64-linux-gnu/security", "/usr/lib/security", "/lib/security") if Path(path).is_dir()
]


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A service that asks for a password, as any does, and compares it with one in a script."""
    if os.geteuid() != 0:
        pytest.skip("only root may ask PAM about other users")
    if not any((Path(path) / "pam_exec.so").exists() for path in MODULES) or not shutil.which("sh"):
        pytest.skip("PAM's module pam_exec is not installed")
    script = tmp_path / "compare"
    script.write_text('#!/bin/sh\nread -r given\n[ "$PAM_USER:$given:$PAM_RHOST" = "root:pass wörd:192.0.2.1" ]\n')
    script.chmod(0o755)
    (tmp_path / "test").write_text(
        f"auth required pam_exec.so expose_authtok quiet {script}\naccount required pam_permit.so\n"
    )
    (tmp_path / "closed").write_text(
        f"auth required pam_exec.so expose_authtok quiet {script}\naccount required pam_deny.so\n"
    )
    return tmp_path


def test_the_right_password_is_accepted_and_a_wrong_one_refused(directory: Path) -> None:
    pam = LibPam("test", str(directory))
    assert pam("root", "pass wörd", "192.0.2.1")
    assert not pam("root", "wrong", "192.0.2.1")
    assert not pam("root", "pass wörd", "192.0.2.2"), "PAM is told where the user comes from"
    assert not pam("root", "", "192.0.2.1")
    assert not pam("ro\0ot", "pass wörd", "192.0.2.1")


def test_an_account_that_may_not_log_in_is_refused(directory: Path) -> None:
    assert not LibPam("closed", str(directory))("root", "pass wörd", "192.0.2.1")


def test_a_service_without_a_file_falls_back_to_other(directory: Path) -> None:
    pam = LibPam("no-such-service", str(directory))
    (directory / "other").write_text((directory / "test").read_text())
    assert pam("root", "pass wörd", "192.0.2.1")


def test_the_realm_refuses_a_made_up_password_of_root() -> None:
    if os.geteuid() != 0:
        pytest.skip("only root may ask PAM about other users")
    assert not Pam().authenticate("root", Secret("surely not this one"), "192.0.2.1", known=True)
    assert not Pam().authenticate("root", Secret("surely not this one"), "192.0.2.1", known=False)
