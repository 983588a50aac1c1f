"""The parsers of /proc, on recorded text."""

from __future__ import annotations

from corral.system import proc

CPUINFO = """processor\t: 0
vendor_id\t: AuthenticAMD
model name\t: AMD EPYC
cpu MHz\t\t: 2596.120
physical id\t: 0
core id\t\t: 0
flags\t\t: fpu svm

processor\t: 1
vendor_id\t: AuthenticAMD
model name\t: AMD EPYC
physical id\t: 0
core id\t\t: 1
flags\t\t: fpu svm

"""


def test_processor_times_are_seconds_and_busy_excludes_waiting() -> None:
    times = proc.parse_stat("cpu  200 0 100 1000 50 0 0 0 0 0\ncpu0 1 2 3\n")
    assert times.user == 200 / proc.HERTZ
    assert times.busy == 300 / proc.HERTZ
    assert times.total == 1350 / proc.HERTZ


def test_memory_used_is_what_is_not_available() -> None:
    memory = proc.parse_meminfo(
        "MemTotal: 1000 kB\nMemFree: 100 kB\nMemAvailable: 600 kB\nSwapTotal: 8 kB\nSwapFree: 3 kB\n"
    )
    assert memory.used == 400 * 1024
    assert memory.swap_total - memory.swap_free == 5 * 1024


def test_memory_counts_the_cache_of_zfs_as_available() -> None:
    arc = proc.parse_arc("name type data\nsize 4 5000\nc_min 4 1000\n")
    assert arc == 4000
    assert proc.parse_meminfo("MemTotal: 100 kB\nMemAvailable: 10 kB\n", arc).available == 10 * 1024 + 4000


def test_cpuinfo_counts_threads_cores_and_sockets() -> None:
    cpu = proc.parse_cpuinfo(CPUINFO)
    assert (cpu.cpus, cpu.cores, cpu.sockets, cpu.model) == (2, 2, 1, "AMD EPYC")
    assert cpu.virtualization


def test_cpuinfo_without_topology_is_one_socket() -> None:
    cpu = proc.parse_cpuinfo("processor\t: 0\nFeatures\t: fp asimd\n")
    assert (cpu.cpus, cpu.cores, cpu.sockets, cpu.model, cpu.flags) == (1, 1, 1, "unknown", "fp asimd")


def test_a_process_name_may_hold_blanks_and_brackets() -> None:
    line = "42 (a) b (c)) S 7 42 42 0 -1 4194560 1 0 0 0 300 100 0 0 20 0 1 0 5555 1000000 25 1844"
    stat = proc.parse_pid_stat(line)
    assert (stat.pid, stat.name, stat.parent, stat.start) == (42, "a) b (c)", 7, 5555)
    assert stat.cpu == 400 / proc.HERTZ
    assert stat.resident == 25 * proc.PAGE


def test_pressure_without_a_full_line() -> None:
    some = "some avg10=0.67 avg60=0.50 avg300=0.26 total=3560980\n"
    pressure = proc.parse_pressure(some)
    assert pressure is not None
    assert pressure.some.avg10 == 0.67
    assert pressure.full is None
    assert proc.parse_pressure("") is None


def test_network_counters() -> None:
    text = "Inter-|\n face |bytes\n  eth0: 10 1 0 0 0 0 0 0 20 2 0 0 0 0 0 0\ntap1:5 1 0 0 0 0 0 0 6 1 0 0 0 0 0 0\n"
    assert proc.parse_net_dev(text) == {"eth0": proc.Traffic(10, 20, 1, 2), "tap1": proc.Traffic(5, 6, 1, 1)}


def test_disk_counters_are_bytes() -> None:
    disks = proc.parse_diskstats("   8       0 sda 3 0 8 1 4 0 16 1 0 1 1 0 0 0 0 0 0\n")
    assert disks == {"sda": proc.DiskIO(8 * 512, 16 * 512, 3, 4)}


def test_mount_points_may_hold_blanks() -> None:
    mount = proc.parse_mounts("/dev/sda1 /mnt/a\\040b ext4 rw,relatime 0 0\n")[0]
    assert mount == proc.Mount("/dev/sda1", "/mnt/a b", "ext4", ("rw", "relatime"))


def test_uptime_load_and_boot_time() -> None:
    assert proc.parse_uptime("12.5 24.0\n") == 12.5
    assert proc.parse_loadavg("0.10 0.20 0.30 1/2 3\n") == ("0.10", "0.20", "0.30")
    assert proc.parse_boot_time("cpu 1\nbtime 1700000000\n") == 1_700_000_000
