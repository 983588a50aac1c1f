"""Sessions with the tools: what is sent, what is shown, how they end."""

from __future__ import annotations

import io
import json

import pytest

from corral.core.errors import Unavailable
from tests.unit.cli.desk import Desk, Failure, Sent, Turn, http

UPID = "UPID:n1:00000001:00000001:00000001:qmstart:100:root@pam:"
TASK = f"/nodes/localhost/tasks/{UPID}"


def task(desk: Desk, *lines: str, ended: str = "OK") -> None:
    desk.answers[f"GET {TASK}/status"] = {"status": "stopped", "exitstatus": ended}
    desk.answers[f"GET {TASK}/log"] = [{"n": number, "t": line} for number, line in enumerate(lines, 1)]


def test_a_task_is_followed_to_its_end(desk: Desk) -> None:
    desk.answers["POST /nodes/localhost/qemu/100/status/start"] = UPID
    task(desk, "starting", "TASK OK")
    assert desk("qm", "start", "100", "--timeout", "5") == (0, "starting\n", "")
    assert desk.sent[0] == Sent("POST", "/nodes/localhost/qemu/100/status/start", {"timeout": "5"}, {})


def test_a_failed_task_is_a_failure(desk: Desk) -> None:
    desk.answers["POST /nodes/localhost/qemu/100/status/start"] = UPID
    task(desk, "starting", "TASK ERROR: no bridge", ended="no bridge")
    assert desk("qm", "start", "100") == (1, "starting\n", "no bridge\n")


def test_warnings_are_told_and_no_failure(desk: Desk) -> None:
    desk.answers["POST /nodes/localhost/qemu/100/status/start"] = UPID
    task(desk, ended="WARNINGS: 2")
    assert desk("qm", "start", "100") == (0, "", "task ended with: WARNINGS: 2\n")


def test_programs_get_the_upid(desk: Desk) -> None:
    desk.answers["POST /nodes/localhost/qemu/100/status/start"] = UPID
    task(desk, "starting")
    printed = desk("qm", "start", "100", "--output-format", "json")
    assert json.loads(printed.out) == UPID
    assert desk("qm", "start", "100", "--quiet").out == ""


def test_a_log_is_shown_once_however_often_it_is_asked_for(desk: Desk) -> None:
    desk.answers["POST /nodes/localhost/qemu/100/status/start"] = UPID
    running = {"status": "running"}
    desk.answers[f"GET {TASK}/status"] = [Turn(running), Turn(running), Turn({"status": "stopped", "exitstatus": "OK"})]
    lines = [{"n": 1, "t": "one"}, {"n": 2, "t": "two"}]
    empty = [{"n": 1, "t": "no content"}]
    desk.answers[f"GET {TASK}/log"] = [Turn(empty), Turn(lines[:1]), Turn(lines[1:])]
    assert desk("qm", "start", "100").out == "one\ntwo\n"
    asked = [sent.params["start"] for sent in desk.sent if sent.path.endswith("/log")]
    assert asked == ["0", "0", "1"]


def test_a_restart_of_corrald_does_not_end_the_tool(desk: Desk) -> None:
    desk.answers["POST /nodes/localhost/qemu/100/status/start"] = UPID
    task(desk, "started")

    def away(_: Sent) -> object:
        raise Unavailable("corrald is away")

    done = {"status": "stopped", "exitstatus": "OK"}
    desk.answers[f"GET {TASK}/status"] = [Turn(away), Turn(away), Turn(done)]
    assert desk("qm", "start", "100") == (0, "started\n", "")
    desk.answers[f"GET {TASK}/status"] = away
    assert desk("qm", "start", "100").code == 1


def test_ctrl_c_leaves_the_task_and_says_how_to_go_on(desk: Desk) -> None:
    desk.answers["POST /nodes/localhost/qemu/100/status/start"] = UPID

    def pressed(_: Sent) -> object:
        raise KeyboardInterrupt

    desk.answers[f"GET {TASK}/status"] = pressed
    printed = desk("qm", "start", "100")
    assert printed.code == 130
    assert f"the task goes on: {UPID}" in printed.err
    assert "pvesh delete" in printed.err


def test_errors_name_each_parameter(desk: Desk) -> None:
    errors = {"memory": "type check ('integer') failed - got 'x'"}
    desk.answers["PUT /nodes/localhost/qemu/100/config"] = Failure(400, "Parameter verification failed.", errors)
    assert desk("qm", "set", "100", "--memory", "x") == (
        1,
        "",
        "qm: Parameter verification failed.\n  memory: type check ('integer') failed - got 'x'\n",
    )


def test_an_answer_without_json_gives_its_reason(desk: Desk) -> None:
    desk.answers["GET /nodes/localhost/qemu"] = b"HTTP/1.0 501 no such thing\r\nContent-Length: 0\r\n\r\n"
    assert desk("qm", "list") == (1, "", "qm: no such thing\n")


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.0 200 OK\r\nContent-Length: 10\r\n\r\n{}", b"nonsense\r\n\r\n"])
def test_half_an_answer_is_no_answer(desk: Desk, answer: bytes) -> None:
    desk.answers["GET /nodes/localhost/qemu"] = answer
    assert desk("qm", "list") == (1, "", "qm: corrald ended in the middle of its answer\n")


def test_lists_look_as_users_know_them(desk: Desk) -> None:
    desk.answers["GET /nodes/localhost/qemu"] = [{"vmid": 100, "name": "web", "status": "stopped", "maxmem": 1 << 30}]
    assert desk("qm", "list").out == (
        "VMID  NAME  STATUS   MEM(MB)  BOOTDISK(GB)  PID\n 100  web   stopped     1024          0.00    0\n"
    )
    assert desk("qm", "list", "--noheader").out.startswith("100  web")
    assert json.loads(desk("qm", "list", "--output-format", "json-pretty").out)[0]["vmid"] == 100
    assert 'name: "web"' in desk("qm", "list", "--output-format", "yaml").out
    printed = desk("qm", "list", "--output-format", "xml")
    assert printed.code == 255
    assert "no such output format: 'xml'; one of text, json, json-pretty, yaml" in printed.err


def test_a_plan_is_shown_and_its_token_goes_back(desk: Desk) -> None:
    plan = {"writes": [], "volumes": [], "effects": ["starts VM 100"], "warnings": []}
    desk.answers["POST /nodes/localhost/qemu/100/status/start"] = {"plan": plan, "token": "T"}
    printed = desk("qm", "start", "100", "--plan")
    assert printed.out == ("starts VM 100\n\nTo do exactly this within an hour: the same command with --apply T\n")
    assert desk.sent == [Sent("POST", "/nodes/localhost/qemu/100/status/start", {}, {"corral-plan": "1"})]
    assert json.loads(desk("qm", "start", "100", "--plan", "--output-format", "json").out)["token"] == "T"
    desk.answers["POST /nodes/localhost/qemu/100/status/start"] = UPID
    task(desk)
    assert desk("qm", "start", "100", "--apply", "T", "--idempotency-key", "k").code == 0
    assert desk.sent[0].headers == {"corral-apply": "T", "Idempotency-Key": "k"}


def test_paths_are_quoted_and_volumes_name_their_storage(desk: Desk) -> None:
    desk.answers["GET /nodes/localhost/storage/local/content/local:100/a b.raw"] = {"path": "/x/a b.raw"}
    assert desk("pvesm", "path", "local:100/a b.raw").out == "/x/a b.raw\n"
    printed = desk("pvesm", "path", "nonsense")
    assert printed.code == 255
    assert "'nonsense' is no volume id: it has the form STORAGE:NAME" in printed.err


def test_presets_and_places_become_parameters(desk: Desk) -> None:
    desk.answers["PUT /access/acl"] = None
    assert desk("pveum", "aclmod", "/vms/100", "--users", "joe@pve", "--roles", "PVEVMUser") == (0, "", "")
    assert desk.sent[0].params == {"path": "/vms/100", "users": "joe@pve", "roles": "PVEVMUser", "delete": "0"}
    desk.answers["PUT /nodes/localhost/qemu/100/config"] = None
    desk("qm", "unlock", "100")
    assert desk.sent[0].params == {"delete": "lock", "skiplock": "1"}
    desk.answers["GET /access/permissions"] = {"/": {"Sys.Audit": 1}}
    assert desk("pveum", "user", "token", "permissions", "joe@pve", "ci").out.endswith("/         Sys.Audit\n")
    assert desk.sent[0].params == {"userid": "joe@pve!ci"}


def test_a_password_need_not_stand_in_the_command_line(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.answers["PUT /access/password"] = None
    monkeypatch.setattr("sys.stdin", io.StringIO("very secret\n"))
    assert desk("pveum", "passwd", "joe@pve").code == 0
    assert desk.sent[0].params == {"userid": "joe@pve", "password": "very secret"}
    assert desk("pveum", "passwd", "joe@pve", "--password", "given").code == 0
    assert desk.sent[0].params["password"] == "given"


def test_status_is_short_unless_asked(desk: Desk) -> None:
    desk.answers["GET /nodes/localhost/qemu/100/status/current"] = {"status": "running", "cpus": 2, "lock": "backup"}
    assert desk("qm", "status", "100").out == "status: running\nlock: backup\n"
    assert "cpus: 2\n" in desk("qm", "status", "100", "--verbose").out
    assert "verbose" not in desk.sent[0].params


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("qm strat 100", "qm: no such command: 'strat'; did you mean 'start'?\n`qm help` lists them all"),
        ("qm disk", "qm: 'qm disk' needs one of: import, resize, unlink"),
        ("qm start", "qm: missing: <vmid>\nusage: qm start <vmid> [OPTIONS]\n`qm help start` tells more"),
        ("qm set 100 --memry 1", "qm: unknown option '--memry'; did you mean '--memory'?\nusage: qm set <vmid>"),
        ("pvesh gte /", "pvesh: no such command: 'gte'; did you mean 'get'?; one of get, set"),
        ("pvesh get", "pvesh: missing: <API path>"),
        ("pvesh get /nothing", "pvesh: no such resource: '/nothing'; `pvesh ls /` shows what there is"),
        ("pvesh delete /version", "pvesh: no 'delete' on '/version'; it has: get"),
        ("corral stoer", "corral: no such command: 'stoer'; did you mean 'store'?\n`corral help` lists them all"),
        ("corral store", "corral: corral store needs one of: list, get, put, history, diff, blame, snapshot, restore"),
        ("corral net", "corral: corral net needs: nat"),
        ("qm help nonsense", "qm: no such command: 'nonsense'"),
    ],
)
def test_a_wrong_line_teaches(desk: Desk, words: str, says: str) -> None:
    printed = desk(*words.split())
    assert printed.code == 255
    assert printed.err.startswith(says)
    assert printed.out == ""
    assert desk.sent == []


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("qm", "create [<vmid>]"),
        ("qm help", "guest exec <vmid> [<extra-args>...]"),
        ("qm help disk", "disk import <vmid> <source> <storage>"),
        ("qm help create", "usage: qm create [<vmid>] [OPTIONS]"),
        ("qm create --help", "--scsihw lsi|"),
        ("qm help importdisk", "usage: qm disk import <vmid> <source> <storage>"),
        ("pveum help user token add", "usage: pveum user token add <userid> <tokenid>"),
        ("pvesm help", "prune-backups <storage>"),
        ("pvesh", "usage: pvesh <get|set|create|delete|ls|usage>"),
        ("corral help", "store snapshot FILE"),
        ("corral", "usage: corral <COMMAND>"),
        ("corral store --help", "store blame PATH"),
        ("corral version", "corral 0"),
        ("corral plans", "POST /access/ticket: "),
        ("corral api-schema", '"/nodes/{node}/qemu/{vmid}/status/start"'),
        ("corral openapi", '"openapi": "3.1'),
    ],
)
def test_help_and_descriptions_need_no_node(desk: Desk, words: str, says: str) -> None:
    printed = desk(*words.split())
    assert printed.code == 0
    assert says in printed.out
    assert desk.sent == []


def test_pvesh_calls_anything(desk: Desk) -> None:
    desk.answers["POST /pools"] = None
    assert desk("pvesh", "create", "/pools", "--poolid", "lab", "--noproxy") == (0, "", "")
    assert desk.sent[0] == Sent("POST", "/pools", {"poolid": "lab"}, {})
    desk.answers["GET /nodes/n1/storage/local/content/local:iso/a.iso"] = {"size": 5}
    assert desk("pvesh", "get", "nodes/n1/storage/local/content/local:iso/a.iso/").out == "size: 5\n"
    desk.answers["GET /access/users/joe@pve"] = {"enable": 1}
    assert desk("pvesh", "get", "/access/users/joe@pve", "--output-format", "json").out == '{"enable":1}\n'


def test_pvesh_shows_what_there_is(desk: Desk) -> None:
    desk.answers["GET /storage"] = [{"storage": "local"}, {"storage": "spare"}]
    out = desk("pvesh", "ls", "/storage").out.splitlines()
    assert [line.split() for line in out] == [["-rw-d", "local"], ["-rw-d", "spare"]]
    assert "Dr---  nodes\n" in desk("pvesh", "ls", "/").out
    assert desk("pvesh", "ls", "/version").out == "\n"
    usage = desk("pvesh", "usage", "/pools", "--command", "create", "--verbose").out
    assert usage.startswith("USAGE: pvesh create /pools --poolid <string>")
    assert "  --comment: " in usage


def test_backups_are_pruned_by_rules_from_the_line(desk: Desk) -> None:
    path = "/nodes/localhost/storage/local/prunebackups"
    desk.answers[f"GET {path}"] = [{"volid": "local:backup/x", "type": "qemu", "vmid": 100, "mark": "remove"}]
    printed = desk("pvesm", "prune-backups", "local", "--dry-run", "--keep-last", "3", "--vmid", "100")
    assert "local:backup/x" in printed.out
    assert [(sent.method, dict(sent.params)) for sent in desk.sent] == [
        ("GET", {"vmid": "100", "prune-backups": "keep-last=3"})
    ]
    desk.answers[f"DELETE {path}"] = UPID
    task(desk)
    assert desk("pvesm", "prune-backups", "local").code == 0
    assert [sent.method for sent in desk.sent][:2] == ["GET", "DELETE"]


def test_a_disk_is_imported_as_unused_unless_a_target_is_named(desk: Desk) -> None:
    config = "/nodes/localhost/qemu/100/config"
    desk.answers |= {f"GET {config}": {"scsi0": "local:1"}, f"POST {config}": UPID, f"PUT {config}": None}
    task(desk)
    assert desk("qm", "importdisk", "100", "/x.qcow2", "local", "--format", "raw").code == 0
    changes = [(sent.method, dict(sent.params)) for sent in desk.sent if sent.path == config]
    assert changes == [
        ("GET", {}),
        ("POST", {"scsi1": "local:0,import-from=/x.qcow2,format=raw"}),
        ("PUT", {"delete": "scsi1"}),
    ]
    assert desk("qm", "disk", "import", "100", "/x", "local", "--target-disk", "virtio0").code == 0
    assert [sent.method for sent in desk.sent if sent.path == config] == ["GET", "POST"]
    taken = desk("qm", "disk", "import", "100", "/x", "local", "--target-disk", "scsi0")
    assert taken == (1, "", "qm: 'scsi0' is in use by VM 100: local:1\n")


def test_a_command_in_the_guest_is_waited_for(desk: Desk) -> None:
    agent = "/nodes/localhost/qemu/100/agent"
    desk.answers[f"POST {agent}/exec"] = {"pid": 7}
    done = {"exited": 1, "exitcode": 0, "out-data": "hi\n"}
    desk.answers[f"GET {agent}/exec-status"] = [Turn({"exited": 0}), Turn(done)]
    printed = desk("qm", "guest", "exec", "100", "--", "echo", "--hi")
    assert json.loads(printed.out) == done
    assert desk.sent[0].params == {"command": ["echo", "--hi"]}
    desk.answers[f"GET {agent}/exec-status"] = {"exited": 0}
    late = desk("qm", "guest", "exec", "100", "--timeout", "1", "sleep", "9")
    assert late.code == 1
    assert "the command (pid 7) goes on" in late.err
    assert json.loads(desk("qm", "guest", "exec", "100", "--synchronous", "0", "x").out) == {"pid": 7}


def test_waiting_ends_when_the_machine_has_stopped(desk: Desk) -> None:
    current = "GET /nodes/localhost/qemu/100/status/current"
    desk.answers[current] = [Turn({"status": "running"}), Turn({"status": "stopped"})]
    assert desk("qm", "wait", "100").code == 0
    desk.answers[current] = {"status": "running"}
    assert desk("qm", "wait", "100", "--timeout", "2").err == "qm: VM 100 still runs after 2 seconds\n"


def test_the_monitor_takes_line_after_line(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monitor = "POST /nodes/localhost/qemu/100/monitor"
    desk.answers[monitor] = [Turn("running\r\n"), Turn(Failure(500, "no such command"))]
    monkeypatch.setattr("sys.stdin", io.StringIO("info status\n\nnonsense\nquit\nnever\n"))
    assert desk("qm", "monitor", "100") == (0, "running\nERROR: no such command\n", "")
    assert [sent.params["command"] for sent in desk.sent] == ["info status", "nonsense"]


def test_a_console_that_is_not_there_is_explained(desk: Desk) -> None:
    desk.answers["GET /nodes/localhost/qemu/100/config"] = {}
    assert "`qm set 100 --serial0 socket` adds it" in desk("qm", "terminal", "100").err
    desk.answers["GET /nodes/localhost/qemu/100/config"] = {"serial1": "socket"}
    assert "VM 100 has no console 'serial1' now: is it running?" in desk("qm", "terminal", "100").err
    assert "'O' is no control key; it has the form ^O" in desk("qm", "terminal", "100", "--escape", "O").err


def test_a_nat_bridge_is_made_and_taken_back(desk: Desk) -> None:
    desk.answers |= {"POST /nodes/localhost/nat": UPID, "DELETE /nodes/localhost/nat": UPID}
    task(desk)
    assert desk("corral", "net", "nat").code == 0
    assert desk.sent[0].method == "POST"
    assert desk("corral", "net", "nat", "--remove").code == 0
    assert desk.sent[0].method == "DELETE"


def test_the_root_names_the_node(desk: Desk) -> None:
    desk.answers["GET /nodes/localhost/qemu"] = []
    desk("qm", "list", "--root", "/srv/elsewhere")
    assert str(desk.root) == "/srv/elsewhere"


def test_a_read_answer_may_be_large(desk: Desk) -> None:
    rows = [{"vmid": vmid, "status": "stopped"} for vmid in range(100, 5100)]
    desk.answers["GET /nodes/localhost/qemu"] = http(200, "OK", {"data": rows})
    assert len(desk("qm", "list", "--noheader").out.splitlines()) == 5000
