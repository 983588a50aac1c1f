"""What reading a first configuration leaves in caches: declarations, regular expressions, decoders."""

from __future__ import annotations

from typing import Final

import msgspec

from corral.guests.qemu.config import VmConfig
from corral.guests.qemu.host import Host

SAMPLE: Final = """\
agent: 1
boot: order=scsi0;net0
cpu: x86-64-v2-AES
ide2: none,media=cdrom
machine: q35
memory: 512
net0: virtio=BC:24:11:00:00:01,bridge=vmbr0
scsi0: local:100/vm-100-disk-0.qcow2,size=8G
scsihw: virtio-scsi-single
serial0: socket
smbios1: uuid=00000000-0000-0000-0000-000000000000
vga: std
"""


def read_sample() -> VmConfig:
    """Read a usual configuration with all that its options declare."""
    msgspec.json.Decoder(Host)
    config = VmConfig.parse(SAMPLE)
    assert config.options.memory is not None
    return config
