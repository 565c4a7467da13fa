"""A real PostgreSQL behind the embedded AWS's databases and proxies, for functions that are deployed there.

What is real: the server, its users and passwords, TLS, IAM tokens and `rds-db:connect`, the secrets that
a proxy logs in with and its role's permission to read them, the pool (where pgbouncer is installed), and
calls of functions from SQL with the role that is associated with the database.

What is not: MySQL and MariaDB (recorded only), failover, rotation, replicas (a read-only endpoint reads
from the one server), parameters, the network, RDS Proxy's own pinning (pgbouncer refuses what RDS Proxy
would pin).
"""
