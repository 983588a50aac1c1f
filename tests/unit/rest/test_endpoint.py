"""Declarations become schemas, and raw parameters become arguments."""

from __future__ import annotations

import contextlib
from typing import Annotated, Any, ClassVar, Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corral.core.errors import ParamError
from corral.core.secret import Secret
from corral.rest import anyone, endpoint, need
from corral.rest.endpoint import Endpoint
from corral.rest.export import api_schema
from corral.rest.openapi import openapi
from corral.schema import (
    PropertyString,
    alias,
    between,
    doc,
    formats,
    indexed,
    length,
    name,
    pattern,
    requires,
    root_only,
    spread,
)
from corral.schema.types import VMID, NodeName

UNKNOWN = "property is not defined in schema and the schema does not allow additional properties"


class Nic(PropertyString, frozen=True, kw_only=True):
    default_key: ClassVar[str] = "model"
    folded: ClassVar[tuple[str, str]] = ("model", "macaddr")
    model: Annotated[Literal["virtio", "e1000"], doc("Model.")]
    macaddr: Annotated[str | None, formats.MAC, doc("Address.")] = None
    tag: Annotated[int | None, between(1, 4094), doc("VLAN.")] = None


class Options(msgspec.Struct, frozen=True, kw_only=True):
    cores: Annotated[int | None, between(1, 128), doc("Cores.", default=1)] = None
    net: Annotated[dict[int, Nic], indexed(32), doc("Network device.")] = {}
    args: Annotated[str | None, root_only, doc("Arguments.")] = None


@endpoint("POST", "/nodes/{node}/things/{vmid}", allow=need("/vms/{vmid}", "VM.Audit"), runs="node")
def things(
    call: Any,
    node: NodeName,
    vmid: VMID,
    options: Annotated[Options, spread],
    *,
    mode: Annotated[Literal["fast", "slow"], doc("Mode.")] = "fast",
    force: Annotated[bool | None, doc("Force.")] = None,
    ratio: Annotated[float | None, doc("Ratio.")] = None,
    word: Annotated[str | None, length(2, 4), doc("Word.")] = None,
    code: Annotated[str | None, pattern(r"a+"), doc("Code.")] = None,
    dash: Annotated[str | None, name("with-dash"), doc("Dash.")] = None,
    other: Annotated[str | None, requires("with-dash"), doc("Other.")] = None,
    old: Annotated[str | None, alias("word"), doc("Old name.")] = None,
    users: Annotated[tuple[str, ...], formats.USERID, doc("Users.")] = (),
    command: Annotated[list[str] | None, doc("Command.")] = None,
    secret: Annotated[Secret | None, doc("Secret.")] = None,
) -> str:
    """Do things."""
    return "done"


PATH = {"node": "n1", "vmid": "100"}


def bind(**params: Any) -> dict[str, Any]:
    return things.bind({**PATH, **{key.replace("__", "-"): value for key, value in params.items()}})


def errors(**params: Any) -> dict[str, str]:
    with pytest.raises(ParamError) as caught:
        bind(**params)
    return caught.value.errors


def test_texts_become_values() -> None:
    bound = bind(cores="4", force="1", ratio="1.5e1", word="abc", with__dash="x", other="y", secret="s")
    assert bound["options"].cores == 4
    assert bound["force"] is True
    assert bound["ratio"] == 15.0
    assert (bound["word"], bound["dash"], bound["other"]) == ("abc", "x", "y")
    assert bound["secret"] == Secret("s")
    assert bound["vmid"] == 100
    assert "mode" not in bound, "what was not given is left to the handler's default"


def test_json_values_are_taken_as_they_are() -> None:
    bound = bind(cores=4, force=True, ratio=2, command=["ls", "-l"])
    assert (bound["options"].cores, bound["force"], bound["ratio"], bound["command"]) == (4, True, 2.0, ["ls", "-l"])


def test_families_are_gathered_by_number() -> None:
    bound = bind(net0="virtio=BC:24:11:00:00:01,tag=5", net31="e1000")
    assert bound["options"].net == {0: Nic(model="virtio", macaddr="BC:24:11:00:00:01", tag=5), 31: Nic(model="e1000")}
    assert "net32" in errors(net32="virtio")


def test_lists_come_in_one_text_or_as_a_repeated_name() -> None:
    assert bind(users="a@pve,b@pve; c@pve")["users"] == ("a@pve", "b@pve", "c@pve")
    assert bind(users=["a@pve", "b@pve"])["users"] == ("a@pve", "b@pve")
    assert bind(command="ls")["command"] == ["ls"]


@pytest.mark.parametrize(
    ("params", "wire", "text"),
    [
        (
            {"nonsense": "1"},
            "nonsense",
            "property is not defined in schema and the schema does not allow additional properties",
        ),
        ({"cores": "x"}, "cores", "type check ('integer') failed - got 'x'"),
        ({"cores": "1e3"}, "cores", "type check ('integer') failed - got '1e3'"),
        ({"cores": "٣"}, "cores", "type check ('integer') failed - got '٣'"),
        ({"cores": "0"}, "cores", "value must have a minimum value of 1"),
        ({"cores": "129"}, "cores", "value must have a maximum value of 128"),
        ({"mode": "x"}, "mode", "value 'x' does not have a value in the enumeration 'fast, slow'"),
        ({"force": "true"}, "force", "type check ('boolean') failed - got 'true'"),
        ({"force": "yes"}, "force", "type check ('boolean') failed - got 'yes'"),
        ({"word": "a"}, "word", "value must be at least 2 characters long"),
        ({"word": "abcde"}, "word", "value may only be 4 characters long"),
        ({"code": "aab"}, "code", "value does not match the regex pattern"),
        ({"code": "aa\n"}, "code", "value does not match the regex pattern"),
        ({"users": "nobody"}, "users", "invalid format - value does not look like a valid user name"),
        ({"other": "y"}, "with-dash", "missing property required by 'other'"),
        ({"old": "y", "word": "abc"}, "old", "cannot set both 'old' and its alias target 'word'"),
        ({"word": {"a": 1}}, "word", "type check ('string') failed - got 'object'"),
        (
            {"net0": "virtio,tag=5000"},
            "net0",
            "invalid format - format error\nnet0.tag: value must have a maximum value of 4094\n",
        ),
    ],
)
def test_faults_are_told_in_the_words_that_clients_know(params: dict[str, Any], wire: str, text: str) -> None:
    assert errors(**params)[wire] == text


@pytest.mark.parametrize("text", ["0100", "+100", "00000000100"])
def test_a_guest_has_one_spelling(text: str) -> None:
    """Permissions are checked on the path as it was sent: `/vms/0100` must not lead to guest 100."""
    made = endpoint("GET", "/vms/{vmid}", allow=need("/vms/{vmid}", "VM.Audit"))(guest)
    assert made.bind({"vmid": "100"}) == made.bind({"vmid": 100}) == {"vmid": 100}
    with pytest.raises(ParamError) as caught:
        made.bind({"vmid": text})
    assert caught.value.errors == {"vmid": "invalid format - value does not look like a valid VM ID"}


def guest(call: Any, vmid: VMID) -> int:
    """Answer."""
    return vmid


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(ParamError) as caught:
        things.bind({"node": "-", "cores": "x", "what": "1"})
    assert caught.value.errors.keys() == {"node", "vmid", "cores", "what"}
    assert caught.value.errors["vmid"] == "property is missing and it is not optional"
    assert caught.value.status == 400


def test_what_only_root_may_set_is_refused_to_others() -> None:
    assert things.bind({**PATH, "args": "-x"}, is_root=True)["options"].args == "-x"
    with pytest.raises(ParamError) as caught:
        things.bind({**PATH, "args": "-x"}, is_root=False)
    assert caught.value.errors == {"args": "only root@pam may set this option"}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from(sorted(things._wire)) | st.text(), json_values, max_size=6))
def test_whatever_comes_is_bound_or_refused(params: dict[str, Any]) -> None:
    with contextlib.suppress(ParamError):
        assert things.bind(params)


def declare(**words: Any) -> Endpoint:
    def handler(call: Any, node: NodeName) -> None:
        """Do it."""

    return endpoint("GET", "/nodes/{node}", **{"allow": anyone("a test"), **words})(handler)


@pytest.mark.parametrize(
    ("allow", "text"),
    [
        (need("/vms/{vmid}", "VM.Audit"), "names no parameter"),
        (need("/nodes/{node}", "nonsense"), "is no privilege"),
    ],
)
def test_a_wrong_permission_fails_while_it_is_declared(allow: Any, text: str) -> None:
    with pytest.raises(AssertionError, match=text):
        declare(allow=allow)


def test_a_path_parameter_must_be_in_the_signature() -> None:
    def handler(call: Any) -> None:
        """Do it."""

    with pytest.raises(AssertionError, match="missing in the signature"):
        endpoint("GET", "/nodes/{node}", allow=anyone("a test"))(handler)


def test_the_dump_has_the_shape_of_the_yardstick() -> None:
    (dumped,) = api_schema([things])
    assert dumped["path"] == "/nodes/{node}/things/{vmid}"
    assert dumped["permissions"] == {"check": ["perm", "/vms/{vmid}", ["VM.Audit"]]}
    assert dumped["params"]["cores"] == {
        "type": "integer", "optional": True, "minimum": 1, "maximum": 128, "default": 1, "description": "Cores.",
    }  # fmt: skip
    assert dumped["params"]["net[n]"]["index_max"] == 31
    assert dumped["params"]["users"]["format"] == "pve-userid-list"
    assert dumped["proxyto"] == "node"


def test_openapi_tells_required_and_path_parameters() -> None:
    operation = openapi([things], "1.0")["paths"]["/nodes/{node}/things/{vmid}"]["post"]
    assert [each["name"] for each in operation["parameters"]] == ["node", "vmid"]
    body = operation["requestBody"]["content"]["application/json"]["schema"]
    assert body["properties"]["mode"]["enum"] == ["fast", "slow"]
    assert body["required"] == []
