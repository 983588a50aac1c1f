"""Reading and changing storage.cfg."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corral.core.errors import AlreadyExists, Conflict, Error, NotFound, ParamError
from corral.storage import PLUGINS, config
from corral.storage.plugins.dir import Dir, DirConfig

TEXT = """\
dir: local
\tpath /var/lib/vz
\tcontent iso,backup
\tprune-backups keep-last=3

lvmthin: local-lvm
\tthinpool data
\tvgname pve
\tcontent rootdir,images

dir: broken
\tcontent iso

dir: future
\tpath /srv/future
\tshared
\tnew-option yes
"""


def parse(text: str = TEXT) -> config.Configuration:
    return config.parse(text, {plugin.kind: plugin for plugin in PLUGINS}, "/default")


def test_what_was_written_by_others_is_read_and_kept() -> None:
    found = parse()
    assert list(found.sections) == ["local", "local-lvm", "broken", "future"]
    plugin, local = found.known("local")
    assert plugin is Dir
    assert isinstance(local, DirConfig)
    assert (local.path, local.content) == ("/var/lib/vz", ("iso", "backup"))
    assert found.sections["future"].config is not None
    assert found.sections["future"].config.shared is True
    with pytest.raises(Error, match="not supported here yet"):
        found.known("local-lvm")
    with pytest.raises(Error, match="required option"):
        found.known("broken")
    with pytest.raises(NotFound, match="storage 'x' does not exist"):
        found.known("x")
    again = found.changed("local", {"shared": True}, [])
    for line in TEXT.splitlines():
        assert line == "\tshared" or line in again.text.splitlines()
    assert parse(again.text).sections == again.sections


def test_local_is_always_there() -> None:
    assert config.options(parse("").sections["local"])["path"] == "/default"
    assert list(parse("dir: a\n\tpath /a\n").sections) == ["local", "a"]
    assert list(parse().removed("local").sections) == ["local-lvm", "broken", "future"]
    assert next(iter(parse(parse().removed("local").text).sections)) == "local"


def test_digest_and_duplicates() -> None:
    found = parse()
    found.check_digest(None)
    found.check_digest(found.digest)
    with pytest.raises(Conflict, match="detected modified configuration"):
        found.check_digest("0" * 40)
    with pytest.raises(AlreadyExists):
        found.added("local", Dir, DirConfig(path="/x"))
    assert found.added("more", Dir, DirConfig(path="/x", content=("iso",))).text.endswith(
        "dir: more\n\tcontent iso\n\tpath /x\n"
    )


def test_options_shown_have_their_types() -> None:
    section = parse().changed("local", {"shared": True, "max_protected_backups": -1}, []).sections["local"]
    assert config.options(section) == {
        "path": "/var/lib/vz",
        "content": "iso,backup",
        "prune-backups": "keep-last=3",
        "shared": True,
        "max-protected-backups": -1,
    }


def test_unknown_options_can_be_removed() -> None:
    found = parse().changed("future", {}, ["new-option"])
    assert "new-option" not in found.text
    with pytest.raises(ParamError):
        parse().changed("future", {}, ["never-there"])


@given(st.text(alphabet="dir:local nfs\n\t path/x=1,#é\0\r", max_size=200))
def test_no_text_breaks_the_reader(text: str) -> None:
    found = parse(text)
    assert "local" in found.sections
    for ident in found.sections:
        config.options(found.sections[ident])
    again = parse(found.removed("local").text)
    assert set(again.sections) | {"local"} == set(found.sections) | {"local"}
