"""The engine of clusters: etcd. Who imports it imports gRPC: only for those who have chosen this engine."""
