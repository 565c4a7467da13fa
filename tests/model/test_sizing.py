import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_patterns.errors import ArgumentError
from lambda_patterns.model.sizing import Bound, StartingSize, WorkloadProfile, memory_for, vcpus


@pytest.mark.parametrize(("memory", "cpu"), [(128, 0.0724), (1769, 1.0), (3538, 2.0), (10_240, 5.7886)])
def test_cpu_is_proportional_to_memory_and_1769_mb_are_one_vcpu(memory: int, cpu: float) -> None:
    assert vcpus(memory) == pytest.approx(cpu, abs=0.0001)


@pytest.mark.parametrize(
    ("cpu", "memory"), [(0.01, 128), (0.5, 885), (1, 1769), (2, 3538), (5.8, 10_240), (6, 10_240)]
)
def test_the_least_memory_that_is_given_so_many_vcpus(cpu: float, memory: int) -> None:
    assert memory_for(cpu) == memory


@given(st.integers(128, 10_240))
def test_memory_and_vcpus_are_inverse(memory: int) -> None:
    assert memory_for(vcpus(memory)) == memory


@pytest.mark.parametrize("memory", [127, 10_241, 512.5])
def test_memory_outside_the_range_is_refused(memory: int) -> None:
    with pytest.raises(ArgumentError, match="allowed are"):
        vcpus(memory)


@pytest.mark.parametrize("cpu", [0, -1, 6.1, float("nan")])
def test_more_vcpus_than_there_are_are_refused(cpu: float) -> None:
    with pytest.raises(ArgumentError, match="allowed are more than 0 and up to 6"):
        memory_for(cpu)


@pytest.mark.parametrize(
    ("profile", "memory", "reason"),
    [
        (
            WorkloadProfile(Bound.CPU),
            1769,
            "one thread uses one vCPU, which 1,769 MB are given: above it memory costs and gains nothing",
        ),
        (WorkloadProfile(Bound.CPU, threads=3), 5307, "3 threads use up to 3 vCPUs"),
        (WorkloadProfile(Bound.CPU, threads=32), 10_240, "32 threads use up to 6 vCPUs"),
        (
            WorkloadProfile(Bound.CPU, peak_memory=4000),
            5000,
            "it holds 4,000 MB and a fourth more, which is more than its CPU needs",
        ),
        (WorkloadProfile(Bound.MEMORY, peak_memory=1200), 1500, "it holds 1,200 MB and a fourth more"),
        (WorkloadProfile(Bound.MEMORY), 128, "it holds little"),
        (WorkloadProfile(Bound.NETWORK), 128, "waiting is not shortened by memory, and it holds little"),
        (
            WorkloadProfile(Bound.NETWORK, transfer=500),
            1769,
            "bulk transfers spend CPU on TLS and copying: one vCPU; AWS gives no figure for bandwidth",
        ),
    ],
)
def test_the_starting_size_of_a_profile_has_its_reason(
    profile: WorkloadProfile, memory: int, reason: str
) -> None:
    assert profile.start == StartingSize(memory, vcpus(memory), reason)


@given(st.sampled_from(Bound), st.floats(0, 8192), st.integers(1, 1024), st.floats(0, 1e6))
def test_a_starting_size_holds_the_peak_with_a_fourth_to_spare(
    bound: Bound, peak: float, threads: int, transfer: float
) -> None:
    start = WorkloadProfile(bound, peak_memory=peak, threads=threads, transfer=transfer).start
    assert 128 <= start.memory <= 10_240
    assert start.memory >= peak * 1.25


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"peak_memory": -1}, "peak_memory is -1 MB, allowed are 0 MB and more"),
        ({"transfer": float("nan")}, "transfer is nan MB, allowed are 0 MB and more"),
        ({"threads": 0}, "threads are 0, allowed are 1-1,024"),
        (
            {"peak_memory": 9000},
            "peak_memory is 9,000 MB, at most 8,192 MB and a fourth more fit into 10,240",
        ),
    ],
)
def test_a_profile_that_makes_no_sense_is_refused(arguments: dict[str, float], message: str) -> None:
    with pytest.raises(ArgumentError) as refused:
        WorkloadProfile(Bound.CPU, **arguments)  # type: ignore[arg-type]  # parametrized
    assert str(refused.value).startswith(message)


def test_what_it_waits_for_is_one_of_three_which_may_be_written_as_text() -> None:
    written = WorkloadProfile("cpu")  # type: ignore[arg-type]  # what a caller without types writes
    assert written.start == WorkloadProfile(Bound.CPU).start
    with pytest.raises(ArgumentError) as refused:
        WorkloadProfile("disk")  # type: ignore[arg-type]  # as above
    assert str(refused.value) == "bound is 'disk', allowed are cpu, memory, network"
