import pytest

from lambda_patterns.cli.tuning.measurement import Choice, Measurement, Run, choose, parse_report

TEXT = (
    "START RequestId: 1 Version: 7\nREPORT RequestId: 1 by the handler itself\nEND RequestId: 1\n"
    "REPORT RequestId: 1\tDuration: 102.25 ms\tBilled Duration: 103 ms\tMemory Size: 128 MB\t"
    "Max Memory Used: 45 MB\t"
)
JSON = (
    '{"time":"2026-11-24T09:00:00.000Z","type":"platform.start","record":{"requestId":"1"}}\n'
    '{"time":"2026-11-24T09:00:00.200Z","type":"platform.report","record":{"requestId":"1","metrics":'
    '{"durationMs":102.25,"billedDurationMs":103,"memorySizeMB":128,"maxMemoryUsedMB":45,"initDurationMs":170.5}}}\n'
)


@pytest.mark.parametrize(
    ("log", "run"),
    [
        (TEXT, Run(102.25, 103, 45)),
        (TEXT + "Init Duration: 170.50 ms\t\nXRAY TraceId: 1", Run(102.25, 103, 45, 170.5)),
        (TEXT + "Restore Duration: 300.00 ms\tBilled Restore Duration: 81 ms\t", Run(102.25, 103, 45, 300)),
        (JSON, Run(102.25, 103, 45, 170.5)),
        (JSON.replace(',"initDurationMs":170.5', ""), Run(102.25, 103, 45)),
        ("hello", None),
        ('{"type":"platform.report"}', None),
        ("", None),
    ],
)
def test_the_report_is_read_from_text_and_json_and_from_what_the_handler_prints_only_what_is_one(
    log: str, run: Run | None
) -> None:
    assert parse_report(log) == run


def size(memory: int, duration: float, **changes: float) -> Measurement:
    warm = Run(duration, changes.get("billed", duration), changes.get("used", 50))
    return Measurement(memory, (Run(duration * 9, duration * 9, 50, start=400), warm, warm))


def test_the_cold_start_is_shown_and_does_not_count_as_a_warm_run() -> None:
    measured = size(128, 100)
    assert (measured.duration, measured.billed, measured.start, len(measured.good)) == (100, 100, 400, 2)


def test_runs_of_which_none_was_warm_count_all_the_same() -> None:
    cold = Measurement(128, (Run(900, 1300, 50, start=400),))
    assert (cold.duration, cold.billed) == (900, 1300)


def test_gb_seconds_are_the_billed_time_times_the_memory() -> None:
    assert size(1024, 200, billed=201).gb_seconds == pytest.approx(0.201)
    assert size(512, 1000).gb_seconds == pytest.approx(0.5)


def test_the_slow_run_is_the_nearest_rank_of_95_in_100() -> None:
    runs = tuple(Run(float(number), number, 50) for number in range(1, 21))
    assert Measurement(128, runs).slow == 19
    assert Measurement(128, runs[:1]).slow == 1


def test_cheapest_fastest_and_balanced_are_chosen_by_gb_seconds_and_time() -> None:
    # GB-s: 0.5, 0.4, 0.41, 0.9
    measured = [size(128, 4000), size(256, 1600), size(512, 820), size(1024, 900)]
    assert choose(measured) == Choice(cheapest=256, fastest=512, balanced=512)


def test_of_equal_sizes_the_smallest_is_chosen() -> None:
    flat = [size(2048, 100, billed=10), size(1024, 100, billed=20), size(512, 100, billed=40)]
    assert choose(flat) == Choice(cheapest=512, fastest=512, balanced=512)


def test_a_size_at_which_a_run_failed_or_that_aws_refuses_is_not_chosen() -> None:
    failed = Measurement(128, (Run(1, 1, 128, error="Runtime.ExitError: signal: killed"),))
    refused = Measurement(3009, refused="MemorySize value failed to satisfy constraint")
    assert choose([failed, size(256, 100), refused]) == Choice(256, 256, 256)
    assert choose([failed, refused]) is None
