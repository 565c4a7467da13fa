"""Security groups and network ACLs of a deployment, with rules written inline and apart.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-ec2-securitygroup.html

Not modelled: rules that are added outside of the deployment; security groups that are named by name. Where
egress rules stand apart only, it is left open whether the default one, which lets everything out, is there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_patterns.facts.engines import engine
from lambda_patterns.model.network.graph import Acl, AclEntry, GroupPeer, GroupRule, SecurityGroup
from lambda_patterns.model.network.groups import EVERY_PORT
from lambda_patterns.model.network.identity import block
from lambda_patterns.model.network.prefixes import ANY
from lambda_patterns.model.values import Reference, Unknown, plain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lambda_patterns.model.deployment import Deployment
    from lambda_patterns.model.network.identity import Identity
    from lambda_patterns.model.network.prefixes import Prefix
    from lambda_patterns.model.template import Resource
    from lambda_patterns.model.values import Value

_PROTOCOLS = {"6": "tcp", "17": "udp", "1": "icmp", "58": "icmpv6", "all": "-1"}
_RESTRICTED = "Custom::VpcRestrictDefaultSG"

Properties = dict[str, "Value"]


def everything(origin: str) -> tuple[GroupRule, ...]:
    """Give the rules that let all traffic of both versions through."""
    return tuple(GroupRule("-1", *EVERY_PORT, ANY[version], origin) for version in (4, 6))


def protocol(value: Value) -> str | None:
    """Read a protocol by name or number; None where it is not known."""
    written = plain(value)
    return None if written is None else _PROTOCOLS.get(written.lower(), written.lower())


def port(value: Value) -> int | None:
    """Read a port, written out or taken from what listens on it; None where it is not known."""
    if isinstance(value, Reference) and value.attribute in ("Endpoint.Port", "ReadEndpoint.Port", "Port"):
        return listening(value.resource)
    written = plain(value)
    return int(written) if written is not None and written.lstrip("-").isdigit() else None


def listening(resource: Resource) -> int | None:
    """Give the port that a database or cluster listens on: the one given, or its engine's."""
    given = resource.get("Port", default=resource.get("DBPort"))
    if given is not None:
        return port(given)
    of_cluster = resource.resource("DBClusterIdentifier")
    if of_cluster is not None and of_cluster is not resource:
        return listening(of_cluster)
    named = resource.get("Engine")
    found = engine(named) if isinstance(named, str) else None
    return found.port if found else None


def _ports(low: Value, high: Value, name: str | None) -> tuple[int | None, int | None]:
    if name == "-1":
        return EVERY_PORT
    first, last = port(low), port(high)
    return EVERY_PORT if first == -1 and name in ("tcp", "udp") else (first, last)


class Rules:
    """Reads the deployment's groups and ACLs."""

    def __init__(self, deployment: Deployment, identity: Identity) -> None:
        self._deployment = deployment
        self._identity = identity

    def groups(self) -> dict[str, SecurityGroup]:
        """Read every security group, and those outside of the deployment that rules are added to."""
        found = {
            way: self._apart(f"AWS::EC2::SecurityGroup{way.title()}", way) for way in ("ingress", "egress")
        }
        groups: dict[str, SecurityGroup] = {}
        for resource in self._deployment.of_type("AWS::EC2::SecurityGroup"):
            name = self._identity.name(resource)
            rules = {
                way: (*self._inline(resource, name, way), *found[way].pop(name, ()))
                for way in ("ingress", "egress")
            }
            if resource.get("SecurityGroupEgress") in (None, []):
                default = everything(name)
                if rules["egress"]:
                    unsure = Unknown("everywhere, if CloudFormation keeps that rule beside rules apart")
                    default = (GroupRule("-1", *EVERY_PORT, unsure, name),)
                rules["egress"] = (*rules["egress"], *default)
            vpc = self._identity.of(resource.get("VpcId"))
            groups[name] = SecurityGroup(name, vpc, rules["ingress"], rules["egress"])
        emptied = {
            self._identity.of(one.get("DefaultSecurityGroupId"))
            for one in self._deployment.of_type(_RESTRICTED)
        }
        for resource in self._deployment.of_type("AWS::EC2::VPC"):
            vpc = self._identity.name(resource)
            name = f"{vpc}.DefaultSecurityGroup"
            apart = {way: found[way].pop(name, ()) for way in ("ingress", "egress")}
            itself = () if name in emptied else (GroupRule("-1", *EVERY_PORT, GroupPeer(name), vpc),)
            out = () if name in emptied else everything(vpc)
            groups[name] = SecurityGroup(name, vpc, (*apart["ingress"], *itself), (*apart["egress"], *out))
        for name in {*found["ingress"], *found["egress"]}:
            outside = Unknown(f"{name} is not in the template")
            groups[name] = SecurityGroup(
                name, outside, found["ingress"].get(name, ()), found["egress"].get(name, ())
            )
        return groups

    def _apart(self, kind: str, way: str) -> dict[str, tuple[GroupRule, ...]]:
        found: dict[str, list[GroupRule]] = {}
        for resource in self._deployment.of_type(kind):
            group = key(self._identity.of(resource.get("GroupId")))
            if group is not None:
                origin = self._identity.name(resource)
                found.setdefault(group, []).extend(
                    self._rules(resource.properties, origin, way, certain=resource.certain)
                )
        return {name: tuple(rules) for name, rules in found.items()}

    def _inline(self, resource: Resource, name: str, way: str) -> Iterator[GroupRule]:
        written = resource.list(f"SecurityGroup{way.title()}")
        for rule in [written] if isinstance(written, Unknown) else written:
            if isinstance(rule, dict):
                yield from self._rules(rule, name, way, certain=True)
            elif rule is not None:
                why = rule if isinstance(rule, Unknown) else Unknown(f"a rule of {name} that is not known")
                yield GroupRule(None, None, None, why, name)

    def _rules(self, rule: Properties, origin: str, way: str, *, certain: bool) -> Iterator[GroupRule]:
        name = protocol(rule.get("IpProtocol"))
        low, high = _ports(rule.get("FromPort"), rule.get("ToPort"), name)
        for peer in self._peers(rule, way):
            sure = peer if certain else Unknown(f"what {origin} names, if that exists")
            yield GroupRule(name, low, high, sure, origin)

    def _peers(self, rule: Properties, way: str) -> Iterator[Prefix | GroupPeer | Unknown]:
        end = "Source" if way == "ingress" else "Destination"
        for written in ("CidrIp", "CidrIpv6"):
            if written in rule:
                yield block(rule[written])
        if (group := rule.get(f"{end}SecurityGroupId")) is not None:
            named = self._identity.of(group)
            known = key(named)
            yield GroupPeer(known) if known else Unknown(f"a security group that is not known: {named}")
        if (listed := rule.get(f"{end}PrefixListId")) is not None:
            yield from self.prefix_list(listed)
        if "SourceSecurityGroupName" in rule:
            yield Unknown("a security group that is named by its name")

    def prefix_list(self, value: Value) -> Iterator[Prefix | Unknown]:
        """Read the entries of a prefix list; of one outside of the deployment they are not known."""
        if isinstance(value, Reference) and value.resource.type == "AWS::EC2::PrefixList":
            entries = value.resource.list("Entries")
            if not isinstance(entries, Unknown):
                for entry in entries:
                    yield block(entry.get("Cidr")) if isinstance(entry, dict) else Unknown("an entry")
                return
        named = self._identity.of(value)
        yield Unknown(f"the addresses of prefix list {named if isinstance(named, str) else named.why}")

    def acls(self) -> dict[str, Acl]:
        """Read every network ACL, and the default one of each VPC."""
        entries: dict[str, dict[bool, list[AclEntry]]] = {}
        for resource in self._deployment.of_type("AWS::EC2::NetworkAclEntry"):
            acl = self._identity.of(resource.get("NetworkAclId"))
            if isinstance(acl, str):
                egress = resource.boolean("Egress", default=False)
                for way in (True, False):
                    if egress is way or isinstance(egress, Unknown):
                        sure = resource.certain and not isinstance(egress, Unknown)
                        found = entries.setdefault(acl, {True: [], False: []})
                        found[way].append(_entry(resource, self._identity.name(resource), certain=sure))
        acls: dict[str, Acl] = {}
        for resource in self._deployment.of_type("AWS::EC2::NetworkAcl"):
            name = self._identity.name(resource)
            own = entries.get(name, {True: [], False: []})
            acls[name] = Acl(name, tuple(own[False]), tuple(own[True]))
        for resource in self._deployment.of_type("AWS::EC2::VPC"):
            name = f"{self._identity.name(resource)}.DefaultNetworkAcl"
            own = entries.get(name, {True: [], False: []})
            usual = tuple(
                AclEntry(number, "-1", *EVERY_PORT, ANY[version], allow=True, origin=name)
                for version, number in ((4, 100), (6, 101))
            )
            acls[name] = Acl(name, (*own[False], *usual), (*own[True], *usual))
        return acls


def _entry(resource: Resource, origin: str, *, certain: bool) -> AclEntry:
    name = protocol(resource.get("Protocol"))
    low, high = _ports(resource.get("PortRange", "From"), resource.get("PortRange", "To"), name)
    written = block(resource.get("CidrBlock", default=resource.get("Ipv6CidrBlock")))
    action = plain(resource.get("RuleAction"))
    number = resource.number("RuleNumber")
    return AclEntry(
        number if isinstance(number, int) else None,
        name,
        low,
        high,
        None if isinstance(written, Unknown) else written,
        allow={"allow": True, "deny": False}.get((action or "").lower()) if certain else None,
        origin=origin,
    )


def key(named: str | Unknown) -> str | None:
    """Give the key of a group by its name, or, outside of the deployment, by what decides its id."""
    return named if isinstance(named, str) else named.name or None
