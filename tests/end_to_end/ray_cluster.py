"""A Ray cluster of several nodes on this machine, one of which can be killed.

python -m tests.end_to_end.ray_cluster: prints the address; a line on the
standard input kills a node and is answered by one; the end of it ends all.
"""

import sys

from ray import cluster_utils

_NUM_NODES = 2


def main():
    # The head only keeps the books, so that shards run on nodes that may die.
    cluster = cluster_utils.Cluster(
        initialize_head=True, head_node_args={"num_cpus": 0}
    )
    nodes = [cluster.add_node(num_cpus=1) for _ in range(_NUM_NODES)]
    print(cluster.address, flush=True)
    for _ in sys.stdin:
        cluster.remove_node(nodes.pop(), allow_graceful=False)
        print("killed", flush=True)
    cluster.shutdown()


if __name__ == "__main__":
    main()
