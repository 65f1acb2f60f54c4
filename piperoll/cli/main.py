"""The `piperoll` command: registers the subcommands, each from its own module."""

import importlib
from collections.abc import Callable

import typer

from piperoll.cli import access, doctor, installation, local, sweep, tables, topics
from piperoll.cli.console import STATUSES
from piperoll.cli.dead_letters import commands as dead_letters
from piperoll.cli.profiles import with_profile
from piperoll.cli.remote import estimates, jobs, lists, one_job, redelivery, system
from piperoll.cli.seal import commands as seal
from piperoll.runtime import run

app = typer.Typer(
    name="piperoll",
    help="Event-sourced document jobs over Kafka.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


def _service(name: str) -> None:
    """Run one of the four services by its composition root."""
    run(name, importlib.import_module(f"services.{name}.app").main)


@app.command(rich_help_panel="Services")
def api() -> None:
    """Run the API: accepts jobs and returns their state and results."""
    _service("api")


@app.command(rich_help_panel="Services")
def worker() -> None:
    """Run a worker: executes jobs."""
    _service("worker")


@app.command(rich_help_panel="Services")
def projector() -> None:
    """Run the projector: folds the log into the tables that the API reads."""
    _service("projector")


@app.command(rich_help_panel="Services")
def notifier() -> None:
    """Run the notifier: sends webhooks about the jobs."""
    _service("notifier")


# Commands import their dependencies when they are called, so that services, which start here too, start fast.
app.command(rich_help_panel="This machine")(local.up)
app.command(rich_help_panel="This machine")(local.demo)
app.command(rich_help_panel="This machine", epilog=STATUSES)(with_profile(access.link))
ABOUT_JOBS: tuple[Callable[..., None], ...] = (
    jobs.submit,
    estimates.estimate,
    jobs.watch,
    lists.jobs,
    one_job.show,
    one_job.logs,
    one_job.download,
    one_job.cancel,
    one_job.restart,
    one_job.erase,
    one_job.events,
    one_job.deliveries,
    redelivery.redeliver,
    lists.batches,
)
ABOUT_OTHERS: tuple[Callable[..., None], ...] = (lists.documents, lists.search, lists.endpoints)
for command in ABOUT_JOBS:
    app.command(rich_help_panel="Jobs", epilog=STATUSES)(with_profile(command))
for command in ABOUT_OTHERS:
    app.command(rich_help_panel="Documents and webhooks", epilog=STATUSES)(with_profile(command))
app.command(rich_help_panel="Operating", epilog=STATUSES)(with_profile(system.system))
app.command(rich_help_panel="Operating")(doctor.doctor)
app.command(rich_help_panel="Operating", epilog=STATUSES)(installation.adopt)
app.command(rich_help_panel="Operating")(tables.verify)
app.command(rich_help_panel="Operating", epilog=STATUSES)(tables.rebuild)
app.command(rich_help_panel="Operating")(sweep.sweep)
app.add_typer(topics.app, name="topics", rich_help_panel="Operating")
app.add_typer(dead_letters.app, name="dead-letters", rich_help_panel="Operating")
app.add_typer(access.app, name="keys", rich_help_panel="Operating")
app.add_typer(seal.app, name="seal", rich_help_panel="Operating")
