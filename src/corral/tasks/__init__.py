"""Long work that is durable: task types, the queue that grants locks, workers, journals, logs and their index."""
