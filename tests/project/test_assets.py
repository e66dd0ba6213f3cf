# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The dashboard and the monitors: that Datadog would take them, and that the check feeds their queries."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from typing import Any

import pytest
from datadog_api_client import Configuration
from datadog_api_client.model_utils import OpenApiModel, UnparsedObject, validate_and_convert_types
from datadog_api_client.v1.model.dashboard import Dashboard
from datadog_api_client.v1.model.monitor import Monitor

from datadog_checks.kubelet_compliance.rules.all_rules import RULES_BY_KEY
from tests.support.assets import (
    ALL,
    DASHBOARD,
    DASHBOARDS,
    HOST_TAGS,
    MANIFEST,
    METRIC_MONITORS,
    MONITORS,
    PREFIX,
    REPOSITORY,
    SERVICE_CHECKS,
    WIDGETS,
    metrics_in_queries,
    queries,
    tags_of,
)
from tests.support.paths import ROOT
from tools.agent import Collection
from tools.preview import render
from tools.preview.queries import (
    Binary,
    Call,
    Expression,
    Reference,
    ServiceCheckAlert,
    iter_metrics,
    parse_monitor,
    parse_query,
)
from tools.preview.scopes import Filter, Tag, Variable, iter_variables, parse_whole_tag
from tools.preview.widgets import formulas_of, iter_widgets, requests_of

pytestmark = pytest.mark.same_for_every_user


def load(model: type[OpenApiModel], raw: Any) -> OpenApiModel:
    """Read JSON as the client reads an answer, but accept nothing that its models do not know."""
    loaded = validate_and_convert_types(raw, (model,), ['asset'], True, True, Configuration())
    assert isinstance(loaded, model)
    refuse_unknown(loaded, 'asset')
    assert loaded.to_dict() == raw
    return loaded


def refuse_unknown(value: Any, path: str) -> None:
    """The client keeps what it does not know, as UnparsedObject or as one more attribute."""
    if isinstance(value, UnparsedObject):
        raise ValueError(f'{path} is not understood')
    if isinstance(value, OpenApiModel):
        inner = getattr(value, '_composed_instances', None)
        if inner is not None:
            assert len(inner) == 1, path
            refuse_unknown(inner[0], path)
            return
        data = value._data_store
        if value._unparsed:
            raise ValueError(f'{path} is not understood: {data}')
        unknown = set(data) - set(value.openapi_types)
        if unknown:
            raise ValueError(f'{path} has unknown fields: {unknown}')
        for name, each in data.items():
            refuse_unknown(each, f'{path}.{name}')
    elif isinstance(value, list):
        for at, each in enumerate(value):
            refuse_unknown(each, f'{path}[{at}]')


def test_dashboard_is_one_for_the_client() -> None:
    assert set(DASHBOARDS) == {'kubelet_compliance_overview'}
    load(Dashboard, DASHBOARD)


@pytest.mark.parametrize('name', MONITORS)
def test_monitor_is_one_for_the_client(name: str) -> None:
    load(Monitor, MONITORS[name]['definition'])


KINDS = {each['type']: each for each in iter_widgets(DASHBOARD['widgets'])}
SPOILT_REQUESTS = {**KINDS['timeseries'], 'requests': [{**KINDS['timeseries']['requests'][0], 'display_type': 'x'}]}
SPOILT = [
    *(pytest.param({**each, 'no_such_field': 1}, id=f'an unknown field of a {kind}') for kind, each in KINDS.items()),
    *(pytest.param({**each, 'type': 'no_such_type'}, id=f'no {kind}') for kind, each in KINDS.items()),
    pytest.param({**KINDS['query_value'], 'precision': '2'}, id='a text for a number'),
    pytest.param(SPOILT_REQUESTS, id='an unknown value deep inside'),
]


def with_widget(definition: dict[str, Any]) -> dict[str, Any]:
    """The dashboard with this widget alone: loading all takes its time."""
    return {**DASHBOARD, 'widgets': [{**DASHBOARD['widgets'][0], 'definition': definition}]}


@pytest.mark.parametrize('spoilt', SPOILT)
def test_a_spoilt_widget_is_refused(spoilt: dict[str, Any]) -> None:
    with pytest.raises((ValueError, TypeError, AssertionError)):
        load(Dashboard, with_widget(spoilt))


@pytest.mark.parametrize('kind', KINDS)
def test_a_sound_widget_is_not_refused(kind: str) -> None:
    load(Dashboard, with_widget(KINDS[kind]))


@pytest.mark.parametrize('field', ['no_such_field', 'query', 'options'])
@pytest.mark.parametrize('name', MONITORS)
def test_a_spoilt_monitor_is_refused(name: str, field: str) -> None:
    with pytest.raises((ValueError, TypeError, AssertionError)):
        load(Monitor, {**MONITORS[name]['definition'], field: {'not': 'this'}})


def test_manifest_names_every_asset_and_no_other() -> None:
    assert set(MANIFEST['assets']['dashboards'].values()) == {f'assets/dashboards/{name}.json' for name in DASHBOARDS}
    assert set(MANIFEST['assets']['monitors'].values()) == {f'assets/monitors/{name}.json' for name in MONITORS}
    assert set(MANIFEST['assets']['dashboards']) == {dashboard['title'] for dashboard in DASHBOARDS.values()}
    assert set(MANIFEST['assets']['monitors']) == {monitor['title'] for monitor in MONITORS.values()}


def test_pictures_of_the_tile_are_wide_pictures() -> None:
    media = MANIFEST['tile']['media']
    assert 3 <= len(media) <= 8
    for medium in media:
        assert set(medium) == {'media_type', 'caption', 'image_url'} and medium['media_type'] == 'image'
        assert len(medium['caption']) <= 300
        picture = (ROOT / medium['image_url']).read_bytes()
        width, height = (int.from_bytes(picture[offset : offset + 4], 'big') for offset in (16, 20))
        assert picture.startswith(b'\x89PNG\r\n') and width >= 1440 and width * 9 == height * 16
        assert len(picture) < 1_000_000
    assert {medium['image_url'] for medium in media} == {f'images/{picture.name}.png' for picture in render.PICTURES}
    assert {path.name for path in (ROOT / 'images').iterdir()} == {f'{each.name}.png' for each in render.PICTURES}


PARSERS = {'q': parse_query, 'query': parse_query, 'formula': parse_query}


def texts_of(value: Any, key: str = '') -> Iterator[tuple[str, str]]:
    """Every text in an asset, with the key that it stands under."""
    if isinstance(value, dict):
        for name, each in value.items():
            yield from texts_of(each, name)
    elif isinstance(value, list):
        for each in value:
            yield from texts_of(each, key)
    elif isinstance(value, str):
        yield key, value


def test_every_text_that_reads_data_is_understood() -> None:
    """At any place in the dashboard, so that no new kind of widget has a query that the parser does not read."""
    widgets = [widget for widget in WIDGETS if widget['type'] != 'manage_status']
    texts = list(texts_of(widgets))
    for key, text in texts:
        if key in PARSERS:
            PARSERS[key](text)
        elif key in ('tags', 'scope'):
            parse_whole_tag(text)
        else:
            assert PREFIX not in text or key == 'check', (key, text)
    assert sum(key in PARSERS and PREFIX in text for key, text in texts) == len(queries()) - len(METRIC_MONITORS)
    read = {text for key, text in texts if key in ('q', 'query')}
    assert all(PREFIX in text for text in read)


NO_POD = Tag('kube_namespace', ('*',), is_excluded=True)
"""Every pod has a namespace, and the Agent tags what a pod's own configuration sends with it."""


def metadata() -> set[str]:
    with (ROOT / 'metadata.csv').open() as file:
        return {row['metric_name'] for row in csv.DictReader(file)}


def wrong_tags(scope: tuple[Filter, ...], by: tuple[str, ...], sent: dict[str, set[str]]) -> list[str]:
    """Of a query's tags those that are never sent with the metric or service check."""
    prefixes = {variable['name']: variable['prefix'] for variable in DASHBOARD['template_variables']}
    wrong = [key for key in by if key not in sent and key not in HOST_TAGS]
    for part in scope:
        assert isinstance(part, Tag | Variable), part
        key = part.key if isinstance(part, Tag) else prefixes[part.name]
        if key in HOST_TAGS or part == NO_POD:
            continue
        if key not in sent:
            wrong.append(key)
        elif isinstance(part, Tag):
            wrong += [f'{key}:{value}' for value in part.values if value not in sent[key]]
    return wrong


def test_every_metric_of_a_query_is_in_the_metadata_and_sent(emitted: Collection) -> None:
    used = {metric.name for _, metric in metrics_in_queries()}
    assert used <= metadata()
    assert used <= {sent.name for sent in emitted.metrics}


def test_every_tag_of_a_query_is_sent_with_its_metric(emitted: Collection) -> None:
    tags = tags_of(emitted.metrics)
    wrong = [(where, wrong_tags(metric.scope, metric.by, tags[metric.name])) for where, metric in metrics_in_queries()]
    assert [each for each in wrong if each[1]] == []


def test_every_metric_query_leaves_out_what_carries_the_tags_of_a_pod() -> None:
    """Service checks cannot: their scope takes whole tags only, and names no key without a value."""
    assert [(where, metric) for where, metric in metrics_in_queries() if NO_POD not in metric.scope] == []


def test_every_service_check_and_its_tags_are_sent(emitted: Collection) -> None:
    tags = tags_of(emitted.service_checks)
    assert set(tags) == set(SERVICE_CHECKS)
    for widget in (each for each in WIDGETS if each['type'] == 'check_status'):
        scope = tuple(parse_whole_tag(text) for text in widget['tags'])
        assert wrong_tags(scope, tuple(widget['group_by']), tags[widget['check']]) == []
        assert set(widget['group_by']) <= set(SERVICE_CHECKS[widget['check']]['groups'])
    for monitor in MONITORS.values():
        alert = parse_monitor(monitor['definition']['query'])
        if isinstance(alert, ServiceCheckAlert):
            assert wrong_tags(alert.over, alert.by, tags[alert.check]) == []


def test_everything_that_is_sent_has_a_place_in_the_dashboard(emitted: Collection) -> None:
    queried = {metric.name for widget in WIDGETS for request in requests_of(widget) for query in request['queries']
               for metric in iter_metrics(parse_query(query['query']))}  # fmt: skip
    assert {sent.name for sent in emitted.metrics} == metadata() == queried
    shown = {widget['check'] for widget in WIDGETS if widget['type'] == 'check_status'}
    assert {sent.name for sent in emitted.service_checks} == set(SERVICE_CHECKS) == shown


def test_every_template_variable_is_used() -> None:
    used = {variable.name for _, metric in metrics_in_queries() for variable in iter_variables(metric.scope)}
    assert used == set(ALL)
    assert {variable['prefix'] for variable in DASHBOARD['template_variables']} == {
        'kube_cluster_name',
        'node_pool',
        'benchmark',
        'rule',
    }


def test_formulas_name_their_queries() -> None:
    for widget in WIDGETS:
        for request in requests_of(widget):
            names = {query['name'] for query in request['queries']}
            assert {name for formula in formulas_of(request) for name in references(formula)} == names, widget['title']


def references(expression: Expression) -> Iterator[str]:
    if isinstance(expression, Reference):
        yield expression.name
    elif isinstance(expression, Call):
        yield from references(expression.argument)
    elif isinstance(expression, Binary):
        yield from references(expression.left)
        yield from references(expression.right)


def links() -> list[str]:
    """The targets of every link in a message or note."""
    texts = [monitor['definition']['message'] for monitor in MONITORS.values()]
    texts += [each['content'] for each in iter_widgets(DASHBOARD['widgets']) if each['type'] == 'note']
    assert all('](' in text for text in texts[: len(MONITORS)])
    return sorted({link for text in texts for link in re.findall(r'\]\(([^)]+)\)', text)})


@pytest.mark.parametrize('link', links())
def test_link_leads_somewhere(link: str) -> None:
    page, _, heading = link.partition('#')
    if page.startswith('/check/summary?service_check='):
        assert page.partition('=')[2] in SERVICE_CHECKS
    elif page == 'https://docs.datadoghq.com/integrations/kubelet_compliance/':
        assert not heading or f'## {heading.capitalize()}\n' in (ROOT / 'README.md').read_text()
    else:
        assert page.startswith(f'{REPOSITORY}/')
        text = (ROOT / page.removeprefix(f'{REPOSITORY}/')).read_text()
        headings = RULES_BY_KEY if heading == '{{rule.name}}' else [heading] if heading else []
        assert [each for each in headings if f'\n## {each}\n' not in text] == []
