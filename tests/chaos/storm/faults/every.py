"""All faults, and how often each is drawn."""

from tests.chaos.storm.faults.blobs import fill_the_disk, hide_the_blob_store, make_the_disk_read_only
from tests.chaos.storm.faults.broker_state import change_topic_settings, delete_committed_offsets
from tests.chaos.storm.faults.network import (
    cut_a_process_off,
    lose_acknowledgements,
    open_a_black_hole,
    open_connections_by_half,
    refuse_connections,
    slow_the_network,
)
from tests.chaos.storm.faults.processes import (
    freeze_a_process,
    freeze_the_broker,
    kill_a_process,
    kill_every_service,
    kill_the_broker,
    shake_the_groups,
    stop_a_store,
    stop_and_start_a_process,
)
from tests.chaos.storm.faults.records import add_poison, repeat_records
from tests.chaos.storm.faults.restore import restore_postgres
from tests.chaos.storm.faults.scene import Fault
from tests.chaos.storm.faults.tables import (
    crash_postgres,
    end_database_sessions,
    lock_the_tables,
    rebuild_twice_at_once,
    use_up_the_connections,
)

FAULTS: dict[Fault, int] = {
    kill_a_process: 10,
    kill_every_service: 1,
    freeze_a_process: 6,
    stop_and_start_a_process: 5,
    kill_the_broker: 3,
    freeze_the_broker: 3,
    stop_a_store: 5,
    end_database_sessions: 4,
    lock_the_tables: 3,
    add_poison: 3,
    repeat_records: 3,
    hide_the_blob_store: 2,
    fill_the_disk: 2,
    make_the_disk_read_only: 2,
    rebuild_twice_at_once: 2,
    slow_the_network: 3,
    lose_acknowledgements: 4,
    open_a_black_hole: 3,
    open_connections_by_half: 3,
    refuse_connections: 3,
    cut_a_process_off: 6,
    restore_postgres: 3,
    change_topic_settings: 1,
    delete_committed_offsets: 2,
    crash_postgres: 3,
    use_up_the_connections: 2,
    shake_the_groups: 2,
}
"""Each fault and its weight in the draw."""
