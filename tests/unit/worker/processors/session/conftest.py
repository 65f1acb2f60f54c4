"""A stage for a `session` run: a web site with one page, without a provider or with one."""

import pytest

from tests.support.runs.session import Stage
from tests.support.servers.website import Website


@pytest.fixture(scope="module")
def site():
    with Website() as serving:
        serving.page("/talk", "On soil", "Soil is alive.", "Speaker: Ada")
        yield serving


@pytest.fixture
def offline(tmp_path, site):
    return Stage(tmp_path, site)


@pytest.fixture
def online(tmp_path, site, mistral):
    return Stage(tmp_path, site, mistral)
