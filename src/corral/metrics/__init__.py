"""Volatile status of nodes, guests and storages, and its history in bounded files."""
