"""One function over many jobs: in this process, in several, on a cluster that loses a machine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.training.slow_work import fail, note_and_square
from thfem_core.errors import InputError
from training.parallel import Workers, run_jobs


@pytest.mark.parametrize("processes", [1, 2])
def test_every_job_is_done_once(tmp_path: Path, processes: int) -> None:
    jobs = [(tmp_path, number) for number in range(4)]
    assert sorted(run_jobs(note_and_square, jobs, Workers(processes=processes))) == [(n, n**2) for n in range(4)]
    places = {path.name.split("-")[1] for path in tmp_path.iterdir()}
    assert len(list(tmp_path.iterdir())) == 4 and len(places) == processes
    with pytest.raises(ValueError, match="cannot be done"):
        list(run_jobs(fail, [1, 2], Workers(processes=processes)))


def test_no_job_is_no_work() -> None:
    assert list(run_jobs(note_and_square, [], Workers(processes=2))) == []


def test_what_is_wrong_is_one_clear_line() -> None:
    with pytest.raises(InputError, match="processes is 0; give 1 or more"):
        Workers(processes=0)
    with pytest.raises(InputError, match="share of a graphics card is -1"):
        Workers(gpus=-1)


@pytest.mark.parametrize("address", ["127.0.0.1:1", "ray://127.0.0.1:1", "nohost.invalid:6379", "127.0.0.1:99999"])
def test_a_cluster_that_does_not_answer_is_one_clear_line(tmp_path: Path, address: str) -> None:
    pytest.importorskip("ray")
    with pytest.raises(InputError, match=f"no Ray cluster answers at {address} ") as caught:
        run_jobs(note_and_square, [(tmp_path, 1)], Workers(ray=address))
    assert "\n" not in str(caught.value)


@pytest.fixture
def two_nodes() -> Iterator[object]:
    """A real Ray cluster of two machines with a processor each, both on this one."""
    pytest.importorskip("ray")
    from ray.cluster_utils import Cluster

    memory = 80 * 2**20
    head = {"num_cpus": 1, "object_store_memory": memory, "include_dashboard": False}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    try:
        cluster.add_node(num_cpus=1, object_store_memory=memory)
        yield cluster
    finally:
        cluster.shutdown()


def test_a_machine_that_dies_loses_nothing(two_nodes, tmp_path: Path) -> None:
    """Both machines work; one is killed after a few results; every result comes, and none comes twice."""
    jobs = [(tmp_path, number) for number in range(16)]
    results = []
    for result in run_jobs(note_and_square, jobs, Workers(ray=two_nodes.address)):
        results.append(result)
        nodes = {path.name.split("-")[1] for path in tmp_path.iterdir()}
        if len(results) >= 4 and len(nodes) == 2 and len(two_nodes.worker_nodes) == 1:
            two_nodes.remove_node(next(iter(two_nodes.worker_nodes)), allow_graceful=False)
    assert not two_nodes.worker_nodes, "both machines should have worked before one was killed"
    assert sorted(results) == [(number, number**2) for number in range(16)]
    attempts = [int(path.name.split("-")[0]) for path in tmp_path.iterdir()]
    assert set(attempts) == set(range(16)) and len(attempts) <= 16 + 2  # what the dead one was at ran again


def test_an_error_on_the_cluster_comes_out(two_nodes) -> None:
    with pytest.raises(ValueError, match=r"cannot be done$") as caught:
        list(run_jobs(fail, [1, 2], Workers(ray=two_nodes.address)))
    assert type(caught.value) is ValueError
