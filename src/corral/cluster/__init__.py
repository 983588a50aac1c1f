"""The cluster: its certificates; later members, joining and calls between nodes."""
