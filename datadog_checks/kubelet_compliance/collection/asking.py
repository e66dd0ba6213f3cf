# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Asks the kubelets of a node for their running configuration, and decides which answers count."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from datadog_checks.kubelet_compliance.api.configz import AskError, Connection, KubeletApi
from datadog_checks.kubelet_compliance.api.ownership import UrlError, address_of, choose_owner, listens_by_configuration
from datadog_checks.kubelet_compliance.kubelet.decoding import Configuration
from datadog_checks.kubelet_compliance.kubelet.kubelets import Kubelet
from datadog_checks.kubelet_compliance.kubelet.pending import runs_with
from datadog_checks.kubelet_compliance.model import Declared, Fault, Process, Unknown
from datadog_checks.kubelet_compliance.node.host import Host

NO_VERSION = Unknown('the version of the kubelet is not known', 'let the Agent read /metrics of the kubelet')
STARTING_SECONDS = 60.0
"""How long a kubelet may take to start serving."""
NOT_SERVING = frozenset({Fault.WRONG_PORT, Fault.REFUSED_CONNECTION})
"""The faults of a kubelet that does not serve yet."""


class Asking:
    """The answers of the kubelets of a node, and whether each comes from the kubelet that it is about."""

    def __init__(self, host: Host, api: KubeletApi) -> None:
        self.host = host
        self.api = api
        self.proven: dict[tuple[int, ...], bool] = {}
        """For each process, whether the check could verify that its response of /configz came from it."""
        self.confirmed: set[tuple[int, ...]] = set()
        """The processes whose answer matched files and flags that had not changed since they started."""

    def forget_all_but(self, processes: Sequence[Process]) -> None:
        alive = {process.key for process in processes}
        self.api.forget_all_but(processes)
        self.proven = {key: proven for key, proven in self.proven.items() if key in alive}
        self.confirmed &= alive

    def ask(self, kubelets: list[Kubelet], connection: Connection | Unknown | None) -> list[Kubelet]:
        """The kubelets, with the running configuration of the one that the connection leads to."""
        self.api.begin()
        if connection is None or not kubelets:
            return kubelets
        if isinstance(connection, Unknown):
            return [replace(kubelet, running=connection, problems=(connection,)) for kubelet in kubelets]
        check_owner = self.owner_check(kubelets, connection)
        answered = [self.asked(kubelet, connection, check_owner) for kubelet in kubelets]
        if any(isinstance(kubelet.running, Configuration) for kubelet in answered):
            # The connection leads to one of them, so a missing answer of the others is no problem.
            answered = [replace(kubelet, problems=()) for kubelet in answered]
        return answered

    def asked(self, kubelet: Kubelet, connection: Connection, check_owner: Callable[[Process], bool]) -> Kubelet:
        process = kubelet.process

        def check() -> bool:
            # Only here: a later check of the owner shows nothing about an earlier answer.
            is_proven = self.proven[process.key] = check_owner(process)
            return is_proven

        running = self.api.running(process, connection, check)
        if isinstance(running, Configuration):
            return self.counted(kubelet, running, connection)
        running = while_starting(running, kubelet)
        return replace(kubelet, running=running, problems=(running,))

    def counted(self, kubelet: Kubelet, running: Configuration, connection: Connection) -> Kubelet:
        """The kubelet with an answer, if the answer counts.

        An answer without verification counts if it matches every reading of the files and flags, and none of these
        changed after the start. Such an answer adds nothing new.
        """
        key = kubelet.process.key
        agreeing = [is_confirmed(declared, running) for declared in kubelet.readings]
        if all(agreeing):
            self.confirmed.add(key)
        if self.proven.get(key) or key in self.confirmed:
            return replace(kubelet, running=running)
        why = 'cannot verify that the response of /configz comes from the kubelet'
        unknown = not_verified(why, connection)
        return replace(kubelet, running=unknown, problems=() if any(agreeing) else (unknown,))

    def version(self, kubelet: Kubelet, connection: Connection | Unknown | None) -> str | Unknown:
        """The version of the only kubelet. It is unknown if the check can't verify where the answer comes from."""
        if not isinstance(connection, Connection):
            return NO_VERSION if connection is None else connection
        process, check_owner = kubelet.evidence.process, self.owner_check([kubelet], connection)

        def check() -> bool:
            if not check_owner(process):
                raise AskError.of(
                    not_verified('cannot verify that the response of /metrics comes from the kubelet', connection)
                )
            return True

        return self.api.version(process, connection, check)

    def owner_check(self, kubelets: list[Kubelet], connection: Connection) -> Callable[[Process], bool]:
        """A function: whether a process is proven to give the answer. It raises AskError if another one does."""
        found: list[tuple[Process, bool] | Unknown] = []

        def check(process: Process) -> bool:
            if not found:
                found.append(self.owner_of(kubelets, connection))
            (owner,) = found
            if isinstance(owner, Unknown):
                raise AskError.of(owner)
            if owner[0] is not process:
                raise AskError(
                    'another kubelet responds at this address', 'stop the kubelet that should not run', OTHER
                )
            return owner[1]

        return check

    def owner_of(self, kubelets: list[Kubelet], connection: Connection) -> tuple[Process, bool] | Unknown:
        """The process that an answer from the URL belongs to, and whether that is proven."""
        try:
            host, port = address_of(connection.url)
        except UrlError as error:
            return Unknown(str(error), fault=Fault.WRONG_PORT)
        shown = [self.host.answers_at(kubelet.evidence.process, host, port) for kubelet in kubelets]
        listens = [
            all(listens_by_configuration(declared, host, port) for declared in kubelet.readings) for kubelet in kubelets
        ]
        owner = choose_owner(shown, listens, connection.way)
        if isinstance(owner, Unknown):
            return owner
        is_proven = owner.is_shown or connection.is_verified or connection.trusts_unverified
        return kubelets[owner.number].evidence.process, is_proven


OTHER = Fault.OTHER_KUBELET
UNREAD = 'could not read /configz'


def is_confirmed(declared: Declared, running: Configuration) -> bool:
    """Whether an answer matches files and flags that are all understood and unchanged."""
    return declared.changed is None and not declared.undecided and runs_with(declared, running)


def not_verified(why: str, connection: Connection) -> Unknown:
    """The problem with an answer that may come from any process."""
    return Unknown(
        why,
        f'name the CA of the kubelet in {connection.way.ca} and verify its certificate, '
        'or set trust_unverified_configz: true',
        fault=Fault.NOT_VERIFIED,
    )


def while_starting(unknown: Unknown, kubelet: Kubelet) -> Unknown:
    """What failed, or that the kubelet started a moment ago and does not serve yet."""
    age = kubelet.evidence.age_seconds
    if unknown.fault not in NOT_SERVING or age is None or not 0 <= age < STARTING_SECONDS:
        return unknown
    return Unknown(
        f'{UNREAD}: the kubelet started {age:.0f} s ago and does not serve yet',
        'wait: the check asks again within a minute',
        fault=Fault.STARTING,
    )
