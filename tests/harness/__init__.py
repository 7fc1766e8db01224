"""What the HTTP tests stand on: a real PostgreSQL cluster, the real binary, and a client whose traffic is
held against the contract."""
