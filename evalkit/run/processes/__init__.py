"""Processes: forked or fresh, within limits, and what is told when one fails.

- `executors`: Where replications are carried out: in this process, in several of this machine, or on a cluster.
- `failure`: Why a project has no new report, told in words and kept until it has one; what the machine does, in
  sentences.
- `fork_server`: A process that has imported everything once, and the processes forked from it.
- `forked`: The process that others are forked from: `python -m evalkit.run.processes.forked SOCKET MODULE...`.
- `isolated`: One project run in a process of its own, within limits, whatever becomes of that process.
- `light`: Processes of this kit do linear algebra on one thread and import no part of a library that nothing here
  uses.
- `temporary`: Private folders in the temporary place: each is removed by its owner, or by a later run where that was
  killed.
- `worker`: The process that runs one project: `python -m evalkit.run.processes.worker TASK`.
"""
