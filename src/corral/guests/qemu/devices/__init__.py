"""Devices of a virtual machine: each module declares how one is configured and renders it for QEMU."""
