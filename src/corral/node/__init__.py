"""What a node is made of and how it is set: facts, DNS, hosts, time, services, logs, hardware."""
