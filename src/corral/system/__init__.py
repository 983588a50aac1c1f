"""The edge to the operating system: processes, files, clocks, locks, /proc, cgroups, network devices, acceleration."""
