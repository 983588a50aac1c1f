"""Corral, an open virtualization platform compatible with the Proxmox VE API."""

__version__ = "0.1.0"
