"""What a proxy must be like: in two zones, with TLS, IAM, credentials, and a database that it can serve."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

from lambda_patterns.facts import engines
from lambda_patterns.model.databases import CLUSTER, CONNECT, PROXY
from lambda_patterns.model.matching import matches_action, matches_resource
from lambda_patterns.model.network.trace import Verdict
from lambda_patterns.model.policies import Decision
from lambda_patterns.model.values import Reference, Text, Unknown, plain, same
from lambda_patterns.rules.rule import Found, Rule, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lambda_patterns.model.deployment import Deployment
    from lambda_patterns.model.template import Resource
    from lambda_patterns.model.values import Value

_RDS = "https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/"
_AURORA = "https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/"
_FEWEST = 2


def _in_one_zone(deployment: Deployment) -> Iterator[Found]:
    for proxy in deployment.of_type(PROXY):
        listed = proxy.list("VpcSubnetIds")
        if isinstance(listed, Unknown):
            continue
        if len(listed) < _FEWEST:
            what = f"it has {len(listed)} subnet, needed are 2 or more in two zones"
            yield Found(proxy, ("VpcSubnetIds",), what)
            continue
        subnets = [deployment.resource_of(value, "AWS::EC2::Subnet") for value in listed]
        yield from _unserved_zones(proxy, subnets)
        zones = [
            None
            if subnet is None
            else subnet.get("AvailabilityZone", default=subnet.get("AvailabilityZoneId"))
            for subnet in subnets
        ]
        if all(
            one is not None and other is not None and same(one, other) is True
            for one, other in combinations(zones, 2)
        ):
            zone = plain(zones[0])
            where = f"zone {zone}" if zone else "one zone"
            yield Found(proxy, ("VpcSubnetIds",), f"its {len(listed)} subnets are all in {where}")


def _unserved_zones(proxy: Resource, subnets: list[Resource | None]) -> Iterator[Found]:
    for index, subnet in enumerate(subnets):
        zone = None if subnet is None else plain(subnet.get("AvailabilityZoneId"))
        if subnet is not None and zone in engines.NO_PROXY_ZONES:
            what = f"its subnet {subnet.id} is in {zone}, in which RDS has no proxies"
            yield Found(proxy, ("VpcSubnetIds", index), what, "take a subnet in another zone")


def _without_tls(deployment: Deployment) -> Iterator[Found]:
    for proxy in deployment.of_type(PROXY):
        if proxy.boolean("RequireTLS", default=False) is False:
            said = "is false" if proxy.get("RequireTLS") is not None else "is not set, which is false"
            yield Found(proxy, ("RequireTLS",), f"RequireTLS {said}, it must be true")


def _without_iam(deployment: Deployment) -> Iterator[Found]:
    for proxy in deployment.of_type(PROXY):
        for index, entry in deployment.databases.authentication(proxy) or ():
            asked = entry.get("IAMAuth", "DISABLED")
            if asked == "DISABLED":
                what = "IAMAuth is DISABLED, so clients give a password; allowed is REQUIRED"
                yield Found(proxy, ("Auth", index, "IAMAuth"), what)


def _without_credentials(deployment: Deployment) -> Iterator[Found]:
    for proxy in deployment.of_type(PROXY):
        entries = deployment.databases.authentication(proxy)
        end_to_end = deployment.databases.end_to_end(proxy)
        if end_to_end:
            yield from _incomplete_tokens(deployment, proxy)
        elif entries == [] and end_to_end is False:
            what = "it has neither a secret in Auth nor DefaultAuthScheme IAM_AUTH"
            yield Found(proxy, ("Auth",), what)
        for index, entry in entries or ():
            yield from _unreadable(deployment, proxy, ("Auth", index, "SecretArn"), entry.get("SecretArn"))
        if deployment.permissions.trusts(proxy.get("RoleArn"), "rds.amazonaws.com") is Decision.DENIED:
            what = "its role does not let rds.amazonaws.com assume it"
            fix = "let rds.amazonaws.com do sts:AssumeRole in AssumeRolePolicyDocument"
            yield Found(proxy, ("RoleArn",), what, fix, subject="trust")


def _unreadable(
    deployment: Deployment, proxy: Resource, path: tuple[str | int, ...], arn: Value
) -> Iterator[Found]:
    if arn is None:
        yield Found(proxy, path, "the entry names no secret", subject="none")
        return
    may, role = deployment.permissions.may, proxy.get("RoleArn")
    secret = deployment.databases.secret(arn)
    # the attachment's Ref is the secret's ARN too, and a policy may be written with either
    named = [arn, *([] if secret is None else [Reference(secret)])]
    if all(may(role, "secretsmanager:GetSecretValue", each) is Decision.DENIED for each in named):
        name = secret.id if secret is not None else "the secret"
        what = f"its role may not do secretsmanager:GetSecretValue on {name}"
        yield Found(proxy, path, what, "allow it in the policy of the proxy's role", subject="read")
    key = None if secret is None else secret.resource("KmsKeyId")
    if secret is None or key is None or key.type != "AWS::KMS::Key":
        return
    if may(role, "kms:Decrypt", Reference(key, "Arn")) is Decision.DENIED:
        what = f"its role may not do kms:Decrypt on {key.id}, which encrypts {secret.id}"
        yield Found(proxy, path, what, "allow it in the policy of the proxy's role", subject="decrypt")


def _incomplete_tokens(deployment: Deployment, proxy: Resource) -> Iterator[Found]:
    """End-to-end IAM: the role must be let in as somebody, by a database that takes tokens."""
    databases = deployment.databases
    for database in databases.behind(proxy):
        if database.boolean("EnableIAMDatabaseAuthentication", default=False) is False:
            what = f"it logs in with IAM tokens (IAM_AUTH), and {database.id} takes none"
            fix = f"set EnableIAMDatabaseAuthentication of {database.id} to true"
            yield Found(proxy, ("DefaultAuthScheme",), what, fix, subject=f"off {database.id}")
        if _connects_as_nobody(deployment, proxy, database):
            what = f"it logs in with IAM tokens, and its role may not do {CONNECT} on {database.id}"
            fix = f"allow {CONNECT} on dbuser:<resource id of {database.id}>/<user> in the proxy's role"
            yield Found(proxy, ("RoleArn",), what, fix, subject=f"denied {database.id}")


def _connects_as_nobody(deployment: Deployment, proxy: Resource, database: Resource) -> bool:
    """Whether the proxy's role is known, and may connect to the database as no user whatever."""
    role = deployment.resource_of(proxy.get("RoleArn"), "AWS::IAM::Role")
    if role is None or role.type != "AWS::IAM::Role" or not deployment.permissions.policies(role).complete:
        return False
    for statement in deployment.permissions.grants(role):
        if statement.but_actions or statement.but_resources:
            return False
        if all(matches_action(action, CONNECT) is False for action in statement.actions):
            continue
        for pattern in statement.resources:
            target = deployment.databases.database_user_arn(database, _last(pattern))
            if matches_resource(pattern, target) is not False:
                return False
    return True


def _last(pattern: Value) -> str:
    """Give what stands behind the last slash, which is the user in a pattern for `rds-db:connect`."""
    end = pattern.parts[-1] if isinstance(pattern, Text) else pattern
    return end.rpartition("/")[2] if isinstance(end, str) else ""


def _without_target(deployment: Deployment) -> Iterator[Found]:
    databases = deployment.databases
    for proxy in deployment.of_type(PROXY):
        groups = databases.target_groups(proxy)
        if not groups and not deployment.incomplete:
            yield Found(
                proxy, (), "no target group names it, so it stands before no database", subject="none"
            )
        for group in groups:
            named = [group.list(name) for name in ("DBInstanceIdentifiers", "DBClusterIdentifiers")]
            if named == [[], []]:
                yield Found(group, (), "it names neither an instance nor a cluster")
            for database in databases.targets(group):
                yield from _unreached(deployment, proxy, database)


def _unreached(deployment: Deployment, proxy: Resource, database: Resource) -> Iterator[Found]:
    port = deployment.network.port_of(database)
    if port is None:
        return
    trace = deployment.network.trace(proxy, database, port)
    if trace.verdict is Verdict.BLOCKED and trace.reason is not None:
        what = f"it does not reach {database.id} on port {port}: {trace.reason.sentence}"
        fix = f"let port {port} out of the proxy's group and into the group of {database.id}"
        yield Found(proxy, ("VpcSecurityGroupIds",), what, fix, subject=database.id)


def _engine_mismatch(deployment: Deployment) -> Iterator[Found]:
    for proxy in deployment.of_type(PROXY):
        family = plain(proxy.get("EngineFamily"))
        for database in deployment.databases.behind(proxy):
            facts = deployment.databases.engine(database)
            if family is None or facts is None or facts.proxy_family == family:
                continue
            served = facts.proxy_family or "none: RDS Proxy does not serve it"
            what = f"EngineFamily is {family}, {database.id} is {facts.title}, allowed is {served}"
            yield Found(proxy, ("EngineFamily",), what, subject=database.id)


def _keeps_awake(deployment: Deployment) -> Iterator[Found]:
    for proxy in deployment.of_type(PROXY):
        for database in deployment.databases.behind(proxy):
            path = ("ServerlessV2ScalingConfiguration", "MinCapacity")
            if database.type == CLUSTER and database.number(*path) == 0:
                what = f"{database.id} is meant to pause (MinCapacity 0 ACU), and its proxy keeps it awake"
                fix = "set MinCapacity to 0.5 or more, or leave the proxy out"
                yield Found(database, path, what, fix, subject=proxy.id)


RULES = (
    Rule(
        "proxy-in-one-zone",
        "databases",
        Severity.ERROR,
        "a proxy with subnets in fewer than two zones",
        "RDS refuses a proxy whose subnets are in fewer than two zones, and has none in use1-az3, usw1-az2",
        "name subnets in two zones; ProxiedDatabase takes those of its LambdaNetwork",
        _RDS + "rds-proxy-network-prereqs.html",
        _in_one_zone,
        ("a list of subnets that a parameter decides", "subnets whose zones deployment decides"),
    ),
    Rule(
        "proxy-without-tls",
        "databases",
        Severity.ERROR,
        "a proxy that does not require TLS",
        "without it the proxy takes connections in plain text, and no IAM token, which needs TLS",
        "set RequireTLS to true; ProxiedDatabase does",
        _RDS + "rds-proxy-howitworks.html",
        _without_tls,
        ("a value that a parameter decides",),
    ),
    Rule(
        "proxy-without-iam",
        "databases",
        Severity.WARNING,
        "a proxy whose clients authenticate with a password",
        "a password is fetched, kept and rotated in every function; a token is signed where it is used",
        "set IAMAuth to REQUIRED and allow rds-db:connect; ProxiedDatabase and its connect() do",
        _RDS + "rds-proxy-iam-setup.html",
        _without_iam,
        ("end-to-end IAM authentication", "IAMAuth ENABLED of SQL Server, which takes both"),
    ),
    Rule(
        "proxy-without-credentials",
        "databases",
        Severity.ERROR,
        "a proxy with no secret that its role can read and decrypt, and no complete end-to-end IAM",
        "the proxy logs in to the database in its own name, and every client's connection fails if it cannot",
        "let the role read each secret (and decrypt its key), or allow rds-db:connect on the database "
        "and switch "
        "IAM authentication on there; ProxiedDatabase does either",
        _RDS + "rds-proxy-iam-setup.html",
        _without_credentials,
        (
            "a role that is not in the template",
            "secrets beside IAM_AUTH while migrating from one to the other",
        ),
    ),
    Rule(
        "proxy-without-target",
        "databases",
        Severity.ERROR,
        "a proxy with no target, or that cannot reach it on the database's port",
        "a proxy stays unavailable until it has reached its database",
        "name the database in a target group, and open both groups on its port; ProxiedDatabase does",
        _RDS + "rds-proxy-network-prereqs.html",
        _without_target,
        ("a database outside the template, whose groups are not known",),
    ),
    Rule(
        "proxy-engine-mismatch",
        "databases",
        Severity.ERROR,
        "a proxy of another engine family than its database",
        "a proxy speaks one wire protocol, and serves MySQL, MariaDB, PostgreSQL and SQL Server alone",
        "set EngineFamily to that of the database, and note that it replaces the proxy",
        engines.PROXY_ENGINES_PAGE,
        _engine_mismatch,
        ("an engine that a parameter decides",),
    ),
    Rule(
        "proxy-keeps-database-awake",
        "databases",
        Severity.WARNING,
        "a proxy on a serverless cluster that is meant to pause",
        "a proxy keeps connections to the database open, and a cluster pauses only without any",
        "set the minimum capacity to 0.5 ACU or more, or leave the proxy out",
        _AURORA + "aurora-serverless-v2-auto-pause.html",
        _keeps_awake,
        ("a cluster whose minimum capacity is above 0",),
    ),
)
