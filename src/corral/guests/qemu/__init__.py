"""Virtual machines: their configuration, QEMU's command line, and their life."""
