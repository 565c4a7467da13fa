"""A function's exception shows its type and its frames, not MiniStack's."""

import pytest

from lambda_patterns.local.behaviour.errors import error_payload

PYTHON_LOG = """an order came in
Traceback (most recent call last):
  File "/tmp/x/ministack-lambda-orders-ab/code/index.py", line 3, in handler
    charge(card)
ValueError: logged and swallowed
Traceback (most recent call last):
  File "/tmp/x/ministack-lambda-orders-ab/_worker.py", line 128, in run
    result = handler_fn(event, context)
             ^^^^^^^^^^^^^^^^^^^^^^^^^^
  File "/tmp/x/ministack-lambda-orders-ab/code/shop/orders.py", line 14, in handler
    raise OrderRefused("no such
shop.errors.OrderRefused: no such
order"""
GIVEN = {"errorMessage": "no such\norder", "errorType": "Runtime.HandlerError"}


def test_a_python_exception_has_its_class_and_the_function_s_frames() -> None:
    assert error_payload(GIVEN, PYTHON_LOG, "id-1", "python3.13") == {
        "errorMessage": "no such\norder",
        "errorType": "OrderRefused",
        "requestId": "id-1",
        "stackTrace": [
            '  File "/var/task/shop/orders.py", line 14, in handler\n    raise OrderRefused("no such\n'
        ],
    }


def test_a_node_error_has_its_name_and_its_trace() -> None:
    frame = "    at handler (/tmp/x/ministack-lambda-orders-ab/code/index.js:3:9)"
    log = f"order\nTypeError: no such order\n{frame}"
    given = {"errorMessage": "no such order", "errorType": "Runtime.HandlerError"}
    assert error_payload(given, log, "id-1", "nodejs24.x") == {
        "errorType": "TypeError",
        "errorMessage": "no such order",
        "trace": ["TypeError: no such order", "    at handler (/var/task/index.js:3:9)"],
    }


@pytest.mark.parametrize("runtime", ["python3.13", "nodejs24.x"])
def test_a_time_out_is_one_in_every_language(runtime: str) -> None:
    given = {"errorMessage": "Task timed out after 3.00 seconds", "errorType": "Sandbox.Timedout"}
    assert error_payload(given, "", "id-1", runtime) == {
        "errorType": "Sandbox.Timedout",
        "errorMessage": "RequestId: id-1 Error: Task timed out after 3.00 seconds",
    }


def test_a_module_that_cannot_be_imported_is_said_as_such() -> None:
    given = {"errorMessage": "Worker init failed: No module named 'orders'", "errorType": "RuntimeError"}
    assert error_payload(given, "", "id-1", "python3.13") == {
        "errorMessage": "Unable to import module: No module named 'orders'",
        "errorType": "Runtime.ImportModuleError",
        "requestId": "id-1",
        "stackTrace": [],
    }


def test_what_is_not_understood_is_passed_on() -> None:
    given = {"errorMessage": "worker died", "errorType": "Runtime.ExitError"}
    assert error_payload(given, "nothing", "id-1", "python3.13") == given
    assert error_payload(given, "nothing", "id-1", "nodejs24.x") == given
    assert error_payload(given, "nothing", "id-1", "provided.al2023") == given
