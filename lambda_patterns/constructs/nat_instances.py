"""EC2 instances that translate addresses, for `NatInstances`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import aws_ec2 as ec2

from lambda_patterns.constructs.acknowledgements import INLINE_POLICY, acknowledge

if TYPE_CHECKING:
    from constructs import Construct

    from lambda_patterns.constructs.ways_out import NatInstances

# The disk of an Amazon Linux 2023 image.
_ROOT_DEVICE = "/dev/xvda"

# The first line repeats itself: the Elastic IP may take the place of the first address while it runs.
_USER_DATA = (
    "until dnf install -y iptables-services; do sleep 5; done",
    "systemctl enable --now iptables",
    "echo net.ipv4.ip_forward=1 > /etc/sysctl.d/90-nat.conf",
    "sysctl -p /etc/sysctl.d/90-nat.conf",
    "device=$(ip -o -4 route show to default | awk '{print $5; exit}')",
    'iptables -t nat -A POSTROUTING -o "$device" -j MASQUERADE',
    "iptables -F FORWARD",
    "service iptables save",
)

_ANSWERS = {
    "AwsSolutions-EC29": "the instance holds nothing; a deployment has to be able to replace it",
    "compliance/EC2InstanceNoPublicIp": "a NAT instance is what has the public address, so that functions "
    "need none; its group lets in the VPC's own addresses only",
    "compliance/EC2InstancesInVPC": "it is in the VPC: its network interface names the subnet, where the "
    "rule does not look",
    **INLINE_POLICY,
}

_ALL_PORTS = {
    "compliance/EC2RestrictedCommonPorts": "the addresses are the VPC's own; what is sent here is forwarded, "
    "and each sender's own group says which ports it may use"
}


def create_provider(way: NatInstances) -> ec2.NatInstanceProviderV2:
    """Prepare the instances; the VPC that is given the provider makes them."""
    user_data = ec2.UserData.for_linux()
    user_data.add_commands(*_USER_DATA)
    return ec2.NatProvider.instance_v2(
        instance_type=ec2.InstanceType(way.instance_type),
        default_allowed_traffic=ec2.NatTrafficDirection.OUTBOUND_ONLY,
        associate_public_ip_address=True,
        user_data=user_data,
    )


def finish_instances(scope: Construct, provider: ec2.NatInstanceProviderV2, vpc: ec2.Vpc, cidr: str) -> None:
    """Let the VPC in and nobody else, harden the instances, and give each an address that stays."""
    provider.connections.allow_from(ec2.Peer.ipv4(cidr), ec2.Port.all_traffic(), "whatever the VPC sends out")
    acknowledge(provider.security_group, _ALL_PORTS)
    for number, instance in enumerate(provider.gateway_instances, start=1):
        resource = instance.instance
        resource.monitoring = True
        resource.block_device_mappings = [
            ec2.CfnInstance.BlockDeviceMappingProperty(
                device_name=_ROOT_DEVICE,
                ebs=ec2.CfnInstance.EbsProperty(encrypted=True, volume_type="gp3"),
            )
        ]
        resource.metadata_options = ec2.CfnInstance.MetadataOptionsProperty(http_tokens="required")
        acknowledge(instance, _ANSWERS)
        address = ec2.CfnEIP(scope, f"NatAddress{number}", domain="vpc", instance_id=instance.instance_id)
        address.node.add_dependency(vpc.internet_connectivity_established)
