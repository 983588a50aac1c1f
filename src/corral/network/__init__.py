"""A node's networks: interfaces as configured and as they are, and the NAT bridge."""
