"""A month's bill of one deployment under one workload.

Not modelled: taxes, support, credits, private prices, months of other lengths than 730 hours; each part
says in its own docstring what else. Resource types of which nothing here knows whether they cost are named
in `unpriced`.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lambda_patterns.errors import LambdaPatternsError
from lambda_patterns.model.cost.compute import function_lines, poller_lines, rebates
from lambda_patterns.model.cost.line import Line, name_of, total
from lambda_patterns.model.cost.network import network_lines
from lambda_patterns.model.cost.services import queue_rebate, service_lines
from lambda_patterns.model.cost.workload import assign

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from lambda_patterns.facts.prices import PriceSheet
    from lambda_patterns.model.cost.workload import Workload
    from lambda_patterns.model.deployment import Deployment

_MAY_COST = (
    "AWS::ApiGateway::RestApi",
    "AWS::ApiGatewayV2::Api",
    "AWS::AutoScaling::AutoScalingGroup",
    "AWS::Backup::BackupVault",
    "AWS::CloudFront::Distribution",
    "AWS::CloudFront::Function",
    "AWS::CloudTrail::Trail",
    "AWS::CloudWatch::Dashboard",
    "AWS::DynamoDB::GlobalTable",
    "AWS::DynamoDB::Table",
    "AWS::EC2::FlowLog",
    "AWS::EC2::TransitGateway",
    "AWS::EC2::VPNConnection",
    "AWS::ECR::Repository",
    "AWS::ECS::Service",
    "AWS::EFS::FileSystem",
    "AWS::ElastiCache::CacheCluster",
    "AWS::ElastiCache::ReplicationGroup",
    "AWS::ElastiCache::ServerlessCache",
    "AWS::ElasticLoadBalancingV2::LoadBalancer",
    "AWS::Events::EventBus",
    "AWS::Kinesis::Stream",
    "AWS::KinesisFirehose::DeliveryStream",
    "AWS::RDS::DBCluster",
    "AWS::RDS::DBInstance",
    "AWS::Route53::HostedZone",
    "AWS::Route53Resolver::ResolverEndpoint",
    "AWS::S3::Bucket",
    "AWS::Scheduler::Schedule",
    "AWS::StepFunctions::StateMachine",
    "AWS::WAFv2::WebACL",
)
"""Types that AWS charges for and that are not modelled here."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a deployment costs in a month.

    Args:
        region: the Region of the prices.
        lines: every line, those that are zero included.
        unpriced: resource types that cost and are not modelled here, with how many there are.
        silent: functions for which the workload says nothing; not those of custom resources, which run
            when a stack is deployed.
        elsewhere: the stacks that name another Region than the one priced, with it.
    """

    region: str
    lines: tuple[Line, ...]
    unpriced: Mapping[str, int]
    silent: tuple[str, ...]
    elsewhere: Mapping[str, str]

    @property
    def monthly(self) -> float:
        """USD a month: the sum of what is known."""
        return total(self.lines)

    @property
    def floor(self) -> float:
        """USD a month with no traffic at all: the sum of what is known."""
        return total(line for line in self.lines if line.floor)

    @property
    def unknown(self) -> tuple[Line, ...]:
        """The lines whose amount is not known."""
        return tuple(line for line in self.lines if line.monthly is None)

    def by_resource(self) -> dict[tuple[str, str], float]:
        """(stack, resource) -> USD a month, dearest first; what costs nothing is left out."""
        sums: dict[tuple[str, str], float] = {}
        for line in self.lines:
            if line.monthly:
                key = (line.stack, line.resource)
                sums[key] = sums.get(key, 0.0) + line.monthly
        return dict(sorted(sums.items(), key=lambda pair: (-pair[1], pair[0])))

    def by_stack(self) -> dict[str, float]:
        """Stack -> USD a month."""
        sums: dict[str, float] = {}
        for line in self.lines:
            sums[line.stack] = sums.get(line.stack, 0.0) + (line.monthly or 0.0)
        return sums

    def dominant(self) -> tuple[str, float] | None:
        """What most of the bill goes to: the item and its share of all that is charged (0-1), or None."""
        sums: dict[str, float] = {}
        for line in self.lines:
            if line.monthly and line.monthly > 0:
                sums[line.item] = sums.get(line.item, 0.0) + line.monthly
        if not sums:
            return None
        item = max(sums, key=lambda name: sums[name])
        return item, sums[item] / sum(sums.values())


def estimate(deployment: Deployment, workload: Workload, sheet: PriceSheet) -> Estimate:
    """The bill of `deployment` under `workload`.

    Raises:
        LambdaPatternsError: a name of the workload stands for two resources, or two names for one.
    """
    loads = assign(workload, deployment)
    lines = [
        *function_lines(sheet, deployment, loads),
        *poller_lines(sheet, deployment),
        *network_lines(sheet, deployment, loads),
        *service_lines(sheet, deployment, loads),
    ]
    lines += [*rebates(sheet, workload, lines), *queue_rebate(sheet, workload, lines)]
    counted = Counter(each.type for each in deployment.of_type(*_MAY_COST))
    named = (name_of(each) for each in deployment.of_type("AWS::Lambda::Function") if each not in loads)
    silent = tuple(name for name in named if "Custom::" not in name)
    regions = {each.template: each.environment[0] for each in deployment.resources}
    elsewhere = {
        stack: region
        for stack, region in sorted(regions.items())
        if isinstance(region, str) and region != sheet.region
    }
    return Estimate(sheet.region, tuple(lines), dict(sorted(counted.items())), silent, elsewhere)


def region_of(deployments: Iterable[Deployment], workload: Workload, given: str | None) -> str:
    """The Region to price: the one given, else the workload's, else the one Region that all stacks name.

    Raises:
        LambdaPatternsError: none is known, or the stacks are deployed to several.
    """
    if given or workload.region:
        return given or str(workload.region)
    named = {each.environment[0] for one in deployments for each in one.resources}
    found = sorted(region for region in named if isinstance(region, str))
    if len(found) == 1:
        return found[0]
    which = f"the stacks are deployed to {', '.join(found)}" if found else "no stack names one"
    raise LambdaPatternsError(f"the Region to price is not known ({which}): give it with --region")
