# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Asks the kubelets of a node what they run with, and says which answers count."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from datadog_checks.kubelet_compliance.api.configz import AskError, Connection, KubeletApi
from datadog_checks.kubelet_compliance.api.ownership import UrlError, address_of, choose_owner, listens_by_configuration
from datadog_checks.kubelet_compliance.kubelet.decoding import Configuration
from datadog_checks.kubelet_compliance.kubelet.pending import runs_with
from datadog_checks.kubelet_compliance.model import Declared, Fault, Process, Unknown
from datadog_checks.kubelet_compliance.node.host import Host

from .kubelets import Kubelet

NO_VERSION = Unknown('the version of the kubelet is not known', 'let the Agent read /metrics of the kubelet')
STARTING_SECONDS = 60.0
"""For how long a kubelet may take until it serves."""
NOT_SERVING = frozenset({Fault.WRONG_PORT, Fault.REFUSED_CONNECTION})
"""What a kubelet looks like that does not serve yet."""


class Asking:
    """What the kubelets of a node say of themselves, and whether it is their own word."""

    def __init__(self, host: Host, api: KubeletApi) -> None:
        self.host = host
        self.api = api
        self.proven: dict[tuple[int, ...], bool] = {}
        """For each process, whether something showed that it is the one who gave its answer of /configz."""
        self.confirmed: set[tuple[int, ...]] = set()
        """Those whose answer agreed with files and flags that had not changed since they started."""

    def forget_all_but(self, processes: Sequence[Process]) -> None:
        alive = {process.key for process in processes}
        self.api.forget_all_but(processes)
        self.proven = {key: proven for key, proven in self.proven.items() if key in alive}
        self.confirmed &= alive

    def ask(self, kubelets: list[Kubelet], connection: Connection | Unknown | None) -> list[Kubelet]:
        """Add what runs, for the kubelet that the connection leads to."""
        self.api.begin()
        if connection is None or not kubelets:
            return kubelets
        if isinstance(connection, Unknown):
            return [replace(kubelet, running=connection, problems=(connection,)) for kubelet in kubelets]
        check_owner = self.owner_check(kubelets, connection)
        answered = [self.asked(kubelet, connection, check_owner) for kubelet in kubelets]
        if any(isinstance(kubelet.running, Configuration) for kubelet in answered):
            # The connection leads to one of them; nothing is missing of the others.
            answered = [replace(kubelet, problems=()) for kubelet in answered]
        return answered

    def asked(self, kubelet: Kubelet, connection: Connection, check_owner: Callable[[Process], bool]) -> Kubelet:
        process = kubelet.evidence.process

        def check() -> bool:
            # Only here: what shows later who answers shows nothing of an answer that was given before.
            is_proven = self.proven[process.key] = check_owner(process)
            return is_proven

        running = self.api.running(process, connection, check)
        if isinstance(running, Configuration):
            return self.counted(kubelet, running, connection)
        running = while_starting(running, kubelet)
        return replace(kubelet, running=running, problems=(running,))

    def counted(self, kubelet: Kubelet, running: Configuration, connection: Connection) -> Kubelet:
        """The kubelet with an answer, if that counts.

        One that nothing verifies counts where it agrees with all that the files and flags can mean, none of which
        changed since the start: it says nothing new then.
        """
        key = kubelet.evidence.process.key
        agreeing = [is_confirmed(declared, running) for declared in kubelet.readings]
        if all(agreeing):
            self.confirmed.add(key)
        if self.proven.get(key) or key in self.confirmed:
            return replace(kubelet, running=running)
        why = 'the answer of /configz does not count: nothing shows that it comes from the kubelet'
        unknown = not_verified(why, connection)
        return replace(kubelet, running=unknown, problems=() if any(agreeing) else (unknown,))

    def version(self, kubelet: Kubelet, connection: Connection | Unknown | None) -> str | Unknown:
        """The version of a kubelet that is the only one. An answer that nothing verifies tells none."""
        if not isinstance(connection, Connection):
            return NO_VERSION if connection is None else connection
        process, check_owner = kubelet.evidence.process, self.owner_check([kubelet], connection)

        def check() -> bool:
            if not check_owner(process):
                raise AskError.of(not_verified('what answers is not known to be the kubelet', connection))
            return True

        return self.api.version(process, connection, check)

    def owner_check(self, kubelets: list[Kubelet], connection: Connection) -> Callable[[Process], bool]:
        """Says whether a process is proven to be the one who would answer; raises AskError where another one would."""
        found: list[tuple[Process, bool] | Unknown] = []

        def check(process: Process) -> bool:
            if not found:
                found.append(self.owner_of(kubelets, connection))
            (owner,) = found
            if isinstance(owner, Unknown):
                raise AskError.of(owner)
            if owner[0] is not process:
                raise AskError('another kubelet answers there', 'end the kubelet that should not run', OTHER)
            return owner[1]

        return check

    def owner_of(self, kubelets: list[Kubelet], connection: Connection) -> tuple[Process, bool] | Unknown:
        """The process that an answer from the URL would belong to, and whether something proves that."""
        try:
            host, port = address_of(connection.url)
        except UrlError as error:
            return Unknown(str(error), fault=Fault.WRONG_PORT)
        shown = [self.host.answers_at(kubelet.evidence.process, host, port) for kubelet in kubelets]
        told = [
            all(listens_by_configuration(declared, host, port) for declared in kubelet.readings) for kubelet in kubelets
        ]
        owner = choose_owner(shown, told, connection.way)
        if isinstance(owner, Unknown):
            return owner
        is_proven = owner.is_shown or connection.is_verified or connection.trusts_unverified
        return kubelets[owner.number].evidence.process, is_proven


OTHER = Fault.OTHER_KUBELET
UNREAD = 'could not read /configz'


def is_confirmed(declared: Declared, running: Configuration) -> bool:
    """Whether an answer says only what files and flags say too. A flag that is not understood says nothing."""
    return declared.changed is None and not declared.undecided and runs_with(declared, running)


def not_verified(why: str, connection: Connection) -> Unknown:
    """What is said of an answer that may be anyone's."""
    return Unknown(
        why,
        f'name the CA of the kubelet in {connection.way.ca} and verify its certificate, '
        'or set trust_unverified_configz: true',
        fault=Fault.NOT_VERIFIED,
    )


def while_starting(unknown: Unknown, kubelet: Kubelet) -> Unknown:
    """What failed, of a kubelet that may only not serve yet."""
    age = kubelet.evidence.age_seconds
    if unknown.fault not in NOT_SERVING or age is None or not 0 <= age < STARTING_SECONDS:
        return unknown
    return Unknown(
        f'{UNREAD}: the kubelet started {age:.0f} s ago and does not serve yet',
        'wait: it is asked again within a minute',
        fault=Fault.STARTING,
    )
