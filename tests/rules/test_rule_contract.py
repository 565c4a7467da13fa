"""The names and severities that people acknowledge, search for and link to: a contract.

More rules may come; none of these may be dropped, renamed or moved to another severity.
"""

from lambda_patterns.rules.catalogue import RULES

CONTRACT = {
    "template": {
        "acknowledgement-without-reason": "warning",
        "acknowledgement-of-nothing": "warning",
        "dangling-reference": "error",
        "rule-crashed": "error",
    },
    "limits": {
        "memory-out-of-range": "error",
        "timeout-out-of-range": "error",
        "environment-over-4-kb": "error",
        "environment-name-refused": "error",
        "ephemeral-storage-out-of-range": "error",
        "package-too-large": "error",
        "too-many-layers": "error",
        "too-many-vpc-attachments": "error",
        "runtime-blocked": "error",
        "runtime-deprecated": "warning",
        "concurrency-over-quota": "error",
        "provisioned-concurrency-refused": "error",
        "snap-start-refused": "error",
        "asynchronous-settings-out-of-range": "error",
        "event-source-settings-refused": "error",
        "package-type-mixed": "error",
    },
    "network": {
        "function-in-one-zone": "error",
        "function-without-own-security-group": "warning",
        "role-without-network-interfaces": "error",
        "function-in-public-subnet": "error",
        "internet-unreachable": "error",
        "service-unreachable": "error",
        "nat-gateway-without-internet": "error",
        "nat-instance-broken": "error",
        "nat-instance-open": "warning",
        "endpoint-closed": "error",
        "endpoint-without-private-dns": "error",
        "endpoint-duplicated": "error",
        "gateway-endpoint-not-routed": "error",
        "network-acl-blocks": "error",
        "egress-blocked": "error",
        "peer-closed": "error",
        "function-outside-vpc": "error",
        "vpcs-not-connected": "error",
        "nat-shared-across-zones": "note",
        "endpoint-missing-zone": "warning",
        "isolation-broken": "error",
        "endpoint-policy-denies": "error",
        "function-with-ingress": "warning",
        "many-network-interfaces": "note",
        "nat-replaceable": "note",
    },
    "databases": {
        "database-without-proxy": "warning",
        "proxy-in-one-zone": "error",
        "proxy-without-tls": "error",
        "proxy-without-iam": "warning",
        "proxy-without-credentials": "error",
        "proxy-without-target": "error",
        "proxy-connect-denied": "error",
        "proxy-engine-mismatch": "error",
        "proxy-keeps-database-awake": "warning",
        "borrow-timeout-over-function": "warning",
        "database-public": "error",
        "invoke-engine-unsupported": "error",
        "invoke-permission-missing": "error",
        "invoke-path-missing": "error",
        "invoke-parameter-missing": "error",
    },
    "failures": {
        "failures-dropped": "warning",
        "destination-fifo": "error",
        "destination-denied": "error",
        "visibility-under-timeout": "error",
        "visibility-under-six-timeouts": "warning",
        "source-queue-without-dlq": "warning",
        "few-receives": "warning",
        "dlq-forgets-first": "warning",
        "dlq-unwatched": "warning",
        "dlq-type-mismatch": "error",
        "subscription-without-dlq": "warning",
        "subscription-dlq-denied": "error",
        "batch-fails-whole": "warning",
        "failure-loop": "error",
        "queue-unencrypted": "warning",
        "queue-key-denied": "error",
        "queue-without-tls": "warning",
        "invoke-denied": "error",
        "delivery-policy-refused": "error",
    },
    "edge": {
        "edge-function-refused": "error",
        "cloudfront-function-refused": "error",
    },
}


def test_every_rule_of_the_contract_is_there_with_its_topic_and_severity() -> None:
    catalogue = {(rule.topic, rule.name, rule.severity.value) for rule in RULES}
    contract = {
        (topic, name, severity) for topic, rules in CONTRACT.items() for name, severity in rules.items()
    }
    assert contract - catalogue == set()


def test_the_catalogue_is_sorted_and_names_each_rule_once() -> None:
    names = [rule.name for rule in RULES]
    assert names == sorted(set(names))
