"""Templates read from JSON and YAML: what they mean, and what is refused in which words."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from lambda_patterns.errors import LambdaPatternsError
from lambda_patterns.model.assembly import Assembly, from_templates, parse, read

if TYPE_CHECKING:
    from pathlib import Path

    from lambda_patterns.model.template import Resource

YAML = """
Resources:
  Function:
    Type: AWS::Lambda::Function
    Properties:
      Role: !GetAtt Role.Arn
      Environment:
        Variables:
          URL: !Sub "https://${AWS::Region}.example.org"
          QUEUE: !Ref Queue
      MemorySize: !FindInMap [Sizes, small, memory]
      Timeout: !If [Long, 900, 3]
      Layers: !Split [",", !Join [",", [a, b]]]
  Role: {Type: AWS::IAM::Role}
  Queue: {Type: AWS::SQS::Queue}
Conditions:
  Long: !Equals [!Ref AWS::Partition, aws]
Mappings:
  Sizes: {small: {memory: 128}}
"""


def only(assembly: Assembly) -> Resource:
    (deployment,) = assembly.deployments()
    found = deployment.find("It")
    assert found is not None
    return found


def property_of(text: str, name: str = "t.yaml") -> Any:
    return only(
        parse(f"Resources:\n  It:\n    Type: Custom::It\n    Properties:\n      Value: {text}\n", name)
    ).get("Value")


def refusal(text: str | bytes, name: str = "t.yaml") -> str:
    with pytest.raises(LambdaPatternsError) as caught:
        parse(text, name)
    return str(caught.value)


def test_short_forms_are_the_long_ones() -> None:
    long = {
        "Role": {"Fn::GetAtt": ["Role", "Arn"]},
        "Environment": {
            "Variables": {"URL": {"Fn::Sub": "https://${AWS::Region}.example.org"}, "QUEUE": {"Ref": "Queue"}}
        },
        "MemorySize": {"Fn::FindInMap": ["Sizes", "small", "memory"]},
        "Timeout": {"Fn::If": ["Long", 900, 3]},
        "Layers": {"Fn::Split": [",", {"Fn::Join": [",", ["a", "b"]]}]},
    }
    data = parse(YAML, "t.yaml").templates[0].data
    assert data["Resources"]["Function"]["Properties"] == long
    assert data["Conditions"]["Long"] == {"Fn::Equals": [{"Ref": "AWS::Partition"}, "aws"]}


@pytest.mark.parametrize(
    ("written", "read_as"),
    [
        ("2012-10-17", "2012-10-17"),
        ("012345678901", "012345678901"),
        ("123456789012", 123456789012),
        ("0755", "0755"),
        ("10:30", "10:30"),
        ("0x1F", "0x1F"),
        ("1_000", "1_000"),
        ("1e3", "1e3"),
        ("0.5", 0.5),
        ("-1", -1),
        ("yes", True),
        ("'yes'", "yes"),
        ("False", False),
        ("null", None),
        ("~", None),
        ("=", "="),
        ("!GetAtt A.B.C", "unknown"),
    ],
)
def test_yaml_scalars_are_read_as_cloudformation_reads_them(written: str, read_as: Any) -> None:
    found = property_of(written)
    if read_as == "unknown":
        data = (
            parse(f"Resources: {{It: {{Type: A, Properties: {{Value: {written}}}}}}}", "t.yaml")
            .templates[0]
            .data
        )
        assert data["Resources"]["It"]["Properties"]["Value"] == {"Fn::GetAtt": ["A", "B.C"]}
    else:
        assert found == read_as
        assert type(found) is type(read_as)


def test_keys_are_text_whatever_they_look_like() -> None:
    data = (
        parse("Resources: {}\nMappings:\n  Accounts:\n    123456789012: {yes: 1, 2012-10-17: 2}\n", "t.yaml")
        .templates[0]
        .data
    )
    assert data["Mappings"] == {"Accounts": {"123456789012": {"yes": 1, "2012-10-17": 2}}}


def test_aliases_and_merges_are_written_out() -> None:
    text = """
x-base: &base {MemorySize: 128, Timeout: 3}
Resources:
  It: {Type: Custom::It, Properties: {<<: *base, Timeout: 5}}
"""
    assert only(parse(text, "t.yaml")).properties == {"MemorySize": 128, "Timeout": 5}


def test_json_in_a_file_of_any_name_is_json(tmp_path: Path) -> None:
    for name in ("a.json", "a.template", "a.yaml", "a"):
        file = tmp_path / name
        file.write_text(json.dumps({"Resources": {"It": {"Type": "Custom::It"}}}))
        assert only(read(file)).type == "Custom::It"


def test_a_byte_order_mark_is_no_content() -> None:
    assert only(parse(b'\xef\xbb\xbf{"Resources": {"It": {"Type": "T"}}}', "t.json")).type == "T"


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("t.yaml", "", "t.yaml: the file is empty: give a CloudFormation template"),
        ("t.yaml", " \n ", "t.yaml: the file is empty: give a CloudFormation template"),
        (
            "t.json",
            "[]",
            "t.json: is a list, no CloudFormation template: a template is a mapping with Resources",
        ),
        (
            "t.yaml",
            "hello",
            "t.yaml: is a text, no CloudFormation template: a template is a mapping with Resources",
        ),
        (
            "compose.yaml",
            "services: {web: {image: nginx}}\nversion: '3'",
            (
                "compose.yaml: is no CloudFormation template: it has services, version at its top, and "
                "neither Resources nor another section of a template"
            ),
        ),
        ("t.json", '{"Resources": []}', "t.json:1: Resources is a list, it must be a mapping"),
        (
            "t.json",
            '{\n "Resources": {\n  "A": "B"\n }\n}',
            "t.json:3: Resources.A is a text, it must be a mapping with a Type",
        ),
        (
            "t.yaml",
            "Resources:\n  A:\n    Type: T\n    Properties: [1]\n",
            "t.yaml:4: Resources.A.Properties is a list, it must be a mapping",
        ),
        (
            "t.json",
            '{\n"Resources": {,}}',
            "t.json:2: no JSON: Expecting property name enclosed in double quotes (column 15)",
        ),
        ("t.json", '{"Resources": NaN}', "t.json: no JSON: NaN is no JSON number"),
        (
            "t.json",
            '{"Resources": {\n"A": {"Type": "T"},\n"B": {"Type": "T"},\n"A": {"Type": "T"}}}',
            "t.json:4: key 'A' is written twice in one mapping, and only one of them would count: remove one",
        ),
        (
            "t.yaml",
            "Resources:\n  A: {Type: T}\n  A: {Type: U}\n",
            "t.yaml:3: key 'A' is written twice in one mapping, and only one of them would count: remove one",
        ),
        ("t.yaml", "Resources:\n  A: !Nope/x 1\n", "t.yaml:2: no YAML: unknown tag !Nope/x"),
        (
            "t.yaml",
            "Resources:\n  A: !!python/object:os.system 1\n",
            "t.yaml:2: no YAML: unknown tag tag:yaml.org,2002:python/object:os.system",
        ),
        ("t.yaml", "Resources:\n  A: *nowhere\n", "t.yaml:2: no YAML: found undefined alias"),
        (
            "t.yaml",
            "Resources: {[a]: 1}\n",
            "t.yaml:1: no YAML: a key that is a list or mapping: keys are text",
        ),
        ("t.yaml", "Resources: &a\n  A: *a\n", "t.yaml:1: no YAML: found unconstructable recursive node"),
        (
            "t.yaml",
            "Resources: {}\n--- \nResources: {}\n",
            "t.yaml:2: no YAML: expected a single document in the stream, but found another document",
        ),
    ],
)
def test_what_is_wrong_is_said_with_its_line(name: str, text: str, message: str) -> None:
    assert refusal(text, name) == message


def test_a_file_that_is_no_utf8_is_named_with_the_byte(tmp_path: Path) -> None:
    file = tmp_path / "t.yaml"
    file.write_bytes(b"Resources:\n  A: \xff\n")
    with pytest.raises(LambdaPatternsError) as caught:
        read(file)
    assert str(caught.value) == f"{file}:2: byte 0xff is no UTF-8: save the file as UTF-8"


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(LambdaPatternsError) as caught:
        read(tmp_path / "none.yaml")
    assert str(caught.value) == f"{tmp_path / 'none.yaml'}: cannot be read: No such file or directory"


def test_a_path_that_cannot_be_one_is_named() -> None:
    with pytest.raises(LambdaPatternsError, match="is no path"):
        read("a\0b")


@pytest.mark.parametrize(
    "sections",
    [
        {"Resources": None},
        {"Resources": {}},
        {"AWSTemplateFormatVersion": "2010-09-09"},
        {"Resources": {}, "Rules": [], "Metadata": 5},
    ],
)
def test_a_template_may_have_no_resources(sections: dict[str, Any]) -> None:
    assert [one.resources for one in from_templates({"t": sections}).deployments()] == [()]


@pytest.mark.parametrize(
    ("sections", "kind"),
    [
        ({"Resources": {"It": {}}}, ""),
        (
            {"Resources": {"It": {"Type": None, "Properties": None, "DependsOn": 5, "Metadata": []}}},
            "",
        ),
        (
            {
                "Resources": {"It": {"Type": ["A"], "Condition": ["B"], "DependsOn": [1, {}]}},
                "Conditions": {"B": 3},
            },
            "",
        ),
        (
            {
                "Resources": {"It": {"Type": "T"}},
                "Outputs": {"O": None, "P": {"Export": 1}, "Q": {"Export": {"Name": 1}}},
            },
            "T",
        ),
        (
            {
                "Resources": {"It": {"Type": "T"}},
                "Parameters": {"P": None, "Q": {"Type": 5}},
                "Mappings": {"M": 1},
            },
            "T",
        ),
    ],
)
def test_what_is_merely_odd_is_tolerated(sections: dict[str, Any], kind: str) -> None:
    it = only(from_templates({"t": sections}))
    assert (it.id, it.type, it.properties, it.metadata) == ("It", kind, {}, {})


@pytest.mark.parametrize(
    ("written", "number", "boolean", "text"),
    [
        ("128", 128, None, "128"),
        (128, 128, None, "128"),
        ("0.5", 0.5, None, "0.5"),
        ("true", None, True, "true"),
        (True, None, True, "true"),
        ("False", None, False, "False"),
        ("abc", None, None, "abc"),
        ("1_0", None, None, "1_0"),
        ("nan", None, None, "nan"),
        ([1], None, None, None),
    ],
)
def test_scalars_are_taken_for_what_a_property_wants(
    written: Any, number: Any, boolean: Any, text: Any
) -> None:
    it = only(from_templates({"t": {"Resources": {"It": {"Type": "T", "Properties": {"V": written}}}}}))
    for found, wanted in ((it.number("V"), number), (it.boolean("V"), boolean), (it.text("V"), text)):
        if wanted is None:
            assert hasattr(found, "why")
        else:
            assert found == wanted
            assert type(found) is type(wanted)


def test_a_property_that_is_not_there_is_the_default_of_every_kind() -> None:
    it = only(
        from_templates({"t": {"Resources": {"It": {"Type": "T", "Properties": {"A": {"B": [1]}, "S": "x"}}}}})
    )
    assert it.get("A", "B", 0) == 1
    assert it.get("A", "B", 1, default=9) == 9
    assert it.get("S", "B", default=9) == 9
    assert it.number("N", default=3) == 3
    assert it.boolean("N", default=False) is False
    assert it.text("N", default="x") == "x"
    assert it.number("N") is it.boolean("N") is it.text("N") is None
    assert it.list("N") == []
    assert it.list("S") == ["x"]


def test_a_macro_may_set_a_property_that_is_not_written() -> None:
    resources = {"It": {"Type": "T", "Properties": {"A": 1, "Fn::Transform": {"Name": "M"}}}}
    it = only(from_templates({"t": {"Resources": resources}}))
    assert it.properties == {"A": 1}
    assert getattr(it.get("B"), "why", None) == "a macro may set B of It"


def test_a_template_under_a_macro_is_incomplete() -> None:
    (deployment,) = from_templates(
        {"t": {"Transform": ["Mine"], "Resources": {"It": {"Type": "T"}}}}
    ).deployments()
    assert deployment.incomplete == "the macro Mine may change t"


SCALARS = st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.text(max_size=8)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=12,
)


@given(JSON)
def test_json_and_yaml_of_one_content_are_one_template(content: Any) -> None:
    template = {"Resources": {"It": {"Type": "T", "Properties": {"V": content}}}}
    as_json = parse(json.dumps(template), "t.json").templates[0].data
    as_yaml = parse(yaml.safe_dump(template), "t.yaml").templates[0].data
    assert as_json == as_yaml == template
