"""The public face: sorted, importable, documented; two names for one thing are none."""

import importlib
import inspect

import pytest

PUBLIC = ("lambda_patterns.constructs", "lambda_patterns.testing")
pytestmark = pytest.mark.cdk


@pytest.mark.parametrize("name", PUBLIC)
def test_the_public_names_are_sorted_and_there_once(name: str) -> None:
    module = importlib.import_module(name)
    assert module.__all__ == sorted(set(module.__all__))
    assert [public for public in module.__all__ if not hasattr(module, public)] == []


@pytest.mark.parametrize("name", PUBLIC)
def test_what_a_module_offers_without_naming_it_is_no_public_name(name: str) -> None:
    module = importlib.import_module(name)
    offered = {
        public
        for public, thing in vars(module).items()
        if not public.startswith("_") and not inspect.ismodule(thing)
    }
    assert offered == set(module.__all__)


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_class_and_function_says_what_it_is_and_is_typed(name: str) -> None:
    module = importlib.import_module(name)
    for public in module.__all__:
        thing = getattr(module, public)
        if not inspect.isclass(thing) and not inspect.isfunction(thing):
            continue
        assert inspect.getdoc(thing), public
        signature = inspect.signature(thing.__init__ if inspect.isclass(thing) else thing)
        untyped = [
            parameter.name
            for parameter in signature.parameters.values()
            if parameter.name != "self" and parameter.annotation is parameter.empty
        ]
        assert untyped == [], public
